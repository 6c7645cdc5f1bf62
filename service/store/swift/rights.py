"""What a refusal says: the container, the right that the user lacks, and how to give it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from typing import Literal

from service.store.errors import Forbidden
from service.store.swift.auth import Denied

Right = Literal["read", "write"]


@contextlib.contextmanager
def needing(right: Right, container: str) -> Iterator[None]:
    """Raise Forbidden, which explains itself, where Swift denies the user this right to the container."""
    try:
        yield
    except Denied as error:
        raise Forbidden(
            f"this user may not {right} the container {container!r} in Swift: it lacks the {right} right. An operator "
            f"of the account gives it with: swift post {shlex.quote(container)} --{right}-acl PROJECT:USER"
        ) from error
