"""A file is read at offsets, also into memory that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.engine.headers.source import Cut, OpenedFile, Source, TooLaborious, Work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    return path


@pytest.mark.parametrize(("offset", "count"), [(0, 100), (7, 20), (99, 1), (100, 0)])
def test_what_is_read_in_place_is_what_a_read_returns(path: Path, offset: int, count: int) -> None:
    place = bytearray(count)
    with OpenedFile(path) as source:
        source.read_into(offset, memoryview(place))
        assert place == source.read(offset, count) == bytes(range(offset, offset + count))


def test_a_part_is_read_in_place_from_its_own_start(path: Path) -> None:
    place = bytearray(3)
    with OpenedFile(path) as source:
        source.part(40, 10).read_into(5, memoryview(place))
    assert place == bytes([45, 46, 47])


@pytest.mark.parametrize(("offset", "count"), [(0, 101), (99, 2), (101, 0), (-1, 1)])
def test_what_is_beyond_the_file_is_not_read(path: Path, offset: int, count: int) -> None:
    with OpenedFile(path) as source, pytest.raises(Cut):
        source.read_into(offset, memoryview(bytearray(count)))


def test_a_file_that_became_shorter_is_cut(path: Path) -> None:
    with OpenedFile(path) as source:
        path.write_bytes(bytes(50))
        with pytest.raises(Cut):
            source.read_into(40, memoryview(bytearray(20)))


def test_what_is_read_in_place_counts_as_work(path: Path) -> None:
    with OpenedFile(path) as source:
        bound = Source(source.descriptor, 0, source.size, Work(source.size, reads=2))
        for _ in range(2):
            bound.read_into(0, memoryview(bytearray(10)))
        with pytest.raises(TooLaborious):
            bound.read_into(0, memoryview(bytearray(10)))
