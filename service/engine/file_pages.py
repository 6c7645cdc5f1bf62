"""Pages of libraries that this process has mapped while it loaded them, and may not need again."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_SMAPS = Path("/proc/self/smaps")
_READ_ONLY_FILE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +/.*$")
_OWN_PAGES = re.compile(r"^(Anonymous|Swap|(Private|Shared)_Hugetlb): +[1-9]\d* kB$")
_DONTNEED = 4  # MADV_DONTNEED, madvise(2)

_PT_LOAD, _PF_W = 1, 2  # elf(5)


class _Segment(ctypes.Structure):
    """Elf64_Phdr, elf(5)."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("type", "flags")),
        *((name, ctypes.c_uint64) for name in ("offset", "address", "physical", "file_size", "size", "alignment")),
    ]


class _Library(ctypes.Structure):
    """The head of dl_phdr_info, dl_iterate_phdr(3)."""

    _fields_ = [
        ("address", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("segments", ctypes.POINTER(_Segment)),
        ("count", ctypes.c_uint16),
    ]


_libc = ctypes.CDLL(None)
_linker = ctypes.PyDLL(None)  # keeps the interpreter's lock: a thread that has the linker's never waits for that
_Visit = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Library), ctypes.c_size_t, ctypes.c_void_p)


def let_go() -> None:
    """Map no page of a library any longer that is as it is in its file, and that this process cannot write. One that is
    used again comes back from the kernel's cache of files, for a fault of under a microsecond.

    Other threads may load libraries meanwhile: what they map, and map over again, is let alone. Where the kernel does
    not tell its mappings, nothing happens.
    """
    segments = _loaded()  # first, so that all of them are where they stay
    with contextlib.suppress(OSError), _SMAPS.open(encoding="utf-8", errors="surrogateescape") as lines:
        for start, end in _untouched(lines):
            if any(first <= start and end <= last for first, last in segments):
                _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)


def _loaded() -> list[tuple[int, int]]:
    """The first address and the end, in whole pages, of each part of a loaded library that is not to be written."""
    found: list[tuple[int, int]] = []

    def visit(library: Any, _size: int, _data: object) -> int:
        base = library[0].address or 0
        for segment in library[0].segments[: library[0].count]:
            if segment.type == _PT_LOAD and not segment.flags & _PF_W:
                start = base + segment.address
                end = start + segment.size
                found.append((start - start % mmap.PAGESIZE, end + -end % mmap.PAGESIZE))
        return 0

    _linker.dl_iterate_phdr(_Visit(visit), None)
    return found


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
