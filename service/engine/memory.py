"""Compute how much memory this process may still allocate, and give back what it has freed."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

BOUND = 32 << 20
"""Bytes that may stay: what an image frees is there for the next, without a page fault for every 4 KiB. A JPEG XL of
640 pixels takes 25 MB, whose page faults would cost as much as its encoding: with 24 MiB each costs 1.3 times the CPU,
while the peak of `bench/run memory` is but 6 to 18 MiB lower."""


class _Mallinfo2(ctypes.Structure):
    """As in malloc.h, mallinfo2(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()  # noqa: SIM905
    ]


_libc = ctypes.CDLL(None)
_can_tell = hasattr(_libc, "mallinfo2")  # glibc 2.33 and later
if _can_tell:
    _libc.mallinfo2.restype = _Mallinfo2
_can_trim = hasattr(_libc, "malloc_trim")
_can_tune = hasattr(_libc, "mallopt")
_MMAP_MAX, _MMAPS = -4, 65_536  # M_MMAP_MAX and its default, see mallopt(3)


def has_room(size: int) -> bool:
    """Return whether this process may have so many bytes of memory more.

    Where it has not, what earlier images have freed, and the C library still holds, goes back to the kernel first.
    """
    if _is_granted(size):
        return True
    give_back()
    return _is_granted(size)


def give_back() -> None:
    """Give what was freed, and the C library still holds, back to the kernel, where the C library can."""
    if _can_trim:
        _libc.malloc_trim(0)


def freed() -> int:
    """Bytes of addresses that were freed and that the C library still holds, 0 where it does not tell. What takes
    `large_blocks_reused` has them again."""
    return int(_libc.mallinfo2().fordblks) if _can_tell else 0


@contextmanager
def large_blocks_reused() -> Iterator[None]:
    """Have the C library take blocks of any size from its heap, where they stay for the next image once they are free.
    Otherwise it maps large ones anew each time, and each of their pages costs a fault."""
    if _can_tune:
        _libc.mallopt(_MMAP_MAX, 0)
    try:
        yield
    finally:
        if _can_tune:
            _libc.mallopt(_MMAP_MAX, _MMAPS)


def _is_granted(size: int) -> bool:
    if size <= 0:
        return True
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        return False
    return True
