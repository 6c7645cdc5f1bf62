"""Compute how much memory this process may still allocate."""

from __future__ import annotations

import mmap


def has_room(size: int) -> bool:
    """Return whether this process may have so many bytes of memory more."""
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        return False
    return True
