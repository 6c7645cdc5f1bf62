"""How this process takes memory from the system.

glibc maps large blocks by themselves, and unmaps them when they are freed. But the first one that is freed has it take
blocks of that size from its heaps from then on, one for each few threads. There they lie between small ones, and what
64 uploads had received stayed in the process: `bench/run uploads`.
"""

from __future__ import annotations

import ctypes

LARGE = 192 * 1024
"""Bytes from which on a block is mapped by itself. uvloop receives 250 KiB at once, which may wait; blocks of 128 KiB,
by which Swift is read and written, are soon free again, and would cost page faults."""

FREE = 2**20  # bytes that may be free at the end of the heap
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # the parameters of mallopt(3)


def give_back_large_blocks() -> None:
    """Have large blocks go back to the system as soon as they are free, and all threads share one heap. Called before
    there are threads; another C library goes on as before."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    for parameter, value in ((_MMAP_THRESHOLD, LARGE), (_TRIM_THRESHOLD, FREE), (_ARENA_MAX, 1)):
        libc.mallopt(parameter, value)
