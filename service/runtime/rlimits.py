"""Raise the limit of open files and connections of this process."""

from __future__ import annotations

import logging
import resource

MOST = 65536

log = logging.getLogger(__name__)


def most() -> int:
    """What the system allows, within reason."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)


def raise_limit() -> None:
    """Have this process take what is allowed: most shells begin with 1024, which a crowd of clients exceeds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < most():
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most(), hard))
        except (OSError, ValueError) as error:  # a sandbox forbids it, or fs.nr_open is below the hard limit
            log.warning("no more than %d files and connections can be open at once: %s", soft, error)
