"""Pages of libraries that this process has mapped while it loaded them, and may not need again."""

from __future__ import annotations

import contextlib
import ctypes
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_SMAPS = Path("/proc/self/smaps")
_READ_ONLY_FILE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +/.*$")
_OWN_PAGES = re.compile(r"^(Anonymous|Swap|(Private|Shared)_Hugetlb): +[1-9]\d* kB$")
_DONTNEED = 4  # MADV_DONTNEED, madvise(2)

_libc = ctypes.CDLL(None)


def let_go() -> None:
    """Map no page of a file any longer that is as it is in the file, and that this process cannot write. One that is
    used again comes back from the kernel's cache of files, for a fault of under a microsecond.

    Where the kernel does not tell its mappings, nothing happens.
    """
    with contextlib.suppress(OSError), _SMAPS.open(encoding="utf-8", errors="surrogateescape") as lines:
        for start, end in _untouched(lines):
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)


def _untouched(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """The first address and the end of each such mapping of a file of which this process holds no pages of its own:
    those that the loader has relocated, and then made read-only, would be lost, in memory or swapped out; of huge pages
    the kernel tells no more than that they are private."""
    found: tuple[int, int] | None = None
    for line in lines:
        if line[0].islower() or line[0].isdigit():  # the head of a mapping, proc_pid_smaps(5)
            if found:
                yield found
            head = _READ_ONLY_FILE.match(line)
            found = (int(head[1], 16), int(head[2], 16)) if head else None
        elif _OWN_PAGES.match(line):
            found = None
    if found:
        yield found
