"""Pages of files that were read once are let go of, and come back as they were; a process's own pages stay."""

from __future__ import annotations

import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.engine import file_pages

SIZE = 64 * mmap.PAGESIZE
CONTENT = b"page" * (SIZE // 4)
OWN = b"own"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[mmap.mmap]:
    """A file that is mapped as the loader maps a library."""
    path = tmp_path / "library of pages"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        mapping = mmap.mmap(file.fileno(), SIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    with mapping:
        yield mapping


@pytest.fixture
def library(file: mmap.mmap, monkeypatch: pytest.MonkeyPatch) -> mmap.mmap:
    """One that is taken for a library, with a first page that this process has changed where a test writes to it."""
    monkeypatch.setattr(file_pages, "_loaded", lambda: [(_address(file), _address(file) + SIZE)])
    return file


def test_what_was_only_read_is_let_go_and_comes_back(library: mmap.mmap) -> None:
    _make_read_only(library)
    assert library[:SIZE] == CONTENT
    assert _resident(library) > 0
    file_pages.let_go()
    assert _resident(library) == 0
    assert library[:SIZE] == CONTENT


def test_pages_that_the_process_has_changed_stay_as_they_are(library: mmap.mmap) -> None:
    library[: len(OWN)] = OWN
    _make_read_only(library)
    file_pages.let_go()
    assert library[: len(OWN)] == OWN


@pytest.mark.parametrize(
    ("own", "stays"), [("Anonymous", True), ("Swap", True), ("Private_Hugetlb", True), ("Referenced", False)]
)
def test_a_mapping_with_pages_of_its_own_stays_whether_they_are_in_memory_or_swapped_out(own: str, stays: bool) -> None:
    sizes = {"Rss": 8, "Referenced": 0, "Anonymous": 0, "Swap": 0, "Private_Hugetlb": 0} | {own: 4}
    head = "7f0000001000-7f0000003000 r--p 00000000 08:01 42   /usr/lib/libone.so\n"
    lines = [head, *(f"{name}: {size:8} kB\n" for name, size in sizes.items()), "VmFlags: rd mr mw me\n"]
    assert list(file_pages._untouched(lines)) == ([] if stays else [(0x7F0000001000, 0x7F0000003000)])


def test_what_may_be_written_is_left_alone(library: mmap.mmap) -> None:
    assert library[:SIZE] == CONTENT
    file_pages.let_go()
    assert _resident(library) > 0


def test_what_is_no_loaded_library_is_left_alone(file: mmap.mmap) -> None:
    """Another thread may unmap it, as the loader does its own files, and map memory of its own there."""
    _make_read_only(file)
    assert file[:SIZE] == CONTENT
    file_pages.let_go()
    assert _resident(file) > 0


@pytest.mark.parametrize(("symbol", "is_code"), [("getpid", True), ("environ", False)])
def test_the_code_of_a_library_is_found_and_its_variables_are_not(symbol: str, is_code: bool) -> None:
    address = ctypes.addressof(ctypes.c_char.in_dll(ctypes.CDLL(None), symbol))
    assert any(start <= address < end for start, end in file_pages._loaded()) is is_code


def test_a_kernel_that_does_not_tell_its_mappings_is_no_failure(
    library: mmap.mmap, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(file_pages, "_SMAPS", tmp_path / "smaps")
    _make_read_only(library)
    assert library[:SIZE] == CONTENT
    file_pages.let_go()
    assert _resident(library) > 0


def _make_read_only(mapping: mmap.mmap) -> None:
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    assert protect(ctypes.c_void_p(_address(mapping)), ctypes.c_size_t(SIZE), mmap.PROT_READ) == 0


def _resident(mapping: mmap.mmap) -> int:
    """KiB of the mapping that are in this process."""
    text = Path("/proc/self/smaps").read_text()
    found = re.search(rf"^{_address(mapping):x}-.*\n(?:.*\n)*?Rss: +(\d+) kB$", text, re.M)
    assert found
    return int(found[1])


def _address(mapping: mmap.mmap) -> int:
    """The address, which only a writable buffer tells to ctypes: the kernel knows it by the file's name."""
    names = Path("/proc/self/maps").read_text().splitlines()
    (line,) = [line for line in names if line.endswith("library of pages")]
    return int(line.split("-")[0], 16)
