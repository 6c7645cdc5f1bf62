"""What headers are read with is bounded, and linear, for every format: reads and bytes are counted, not seconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.engine.formats import FORMATS
from service.engine.headers.source import Source
from service.engine.job import Limits, TooLarge, Undecodable
from service.engine.recognise import missing_part, recognise
from service.originals.acceptance import take
from tests.engine.laborious import EMPTY_FRAME, FRAME, GIF, LABORIOUS, tiff_strips

LIMITS = Limits(10**8, 500, 4096, 4096)
MOST_READS = 120_000  # a tenth of a second
SMALL, LARGE = 500_000, 4_000_000  # bytes


@dataclass
class Counts:
    """Reads that a parser asked for, bytes that the system was asked for."""

    reads: int = 0
    bytes: int = 0


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counts]:
    counted, read, pread = Counts(), Source.read, os.pread

    def counting_read(source: Source, offset: int, count: int) -> bytes:
        counted.reads += 1
        return read(source, offset, count)

    def counting_pread(descriptor: int, count: int, offset: int) -> bytes:
        content = pread(descriptor, count, offset)
        counted.bytes += len(content)
        return content

    monkeypatch.setattr(Source, "read", counting_read)
    monkeypatch.setattr(os, "pread", counting_pread)
    yield counted


def accepted(path: Path) -> None:
    """What an upload's header goes through."""
    with suppress(Undecodable, TooLarge):
        take(path, tuple(FORMATS), LIMITS)


def completed(path: Path) -> None:
    with suppress(Undecodable):
        missing_part(path)


@pytest.mark.parametrize("look", [accepted, completed])
@pytest.mark.parametrize("name", LABORIOUS)
def test_no_file_takes_more_reads_than_a_few_for_each_part_nor_more_bytes_than_it_has(
    name: str, look: Callable[[Path], None], tmp_path: Path, counts: Counts
) -> None:
    path = tmp_path / "file"
    found = []
    for size in (SMALL, LARGE):
        counts.reads = counts.bytes = 0
        path.write_bytes(LABORIOUS[name](size))
        look(path)
        assert counts.bytes <= 4 * path.stat().st_size + 2**20
        found.append(counts.reads)
    assert found[1] <= 1.1 * found[0] * LARGE / SMALL + 100
    if look is accepted:
        assert found[1] <= MOST_READS


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gif of stray bytes", "more than 65536 bytes of it belong to no block"),
        ("gif of stray bytes between extensions", "made of more than 11000 blocks"),
        ("gif of extensions", "made of more than 11000 blocks"),
        ("gif of empty frames", "more than 500 frames"),
        ("gif of blocks of a byte", "made of more than 2000000 blocks"),
        ("jpeg of bytes between segments", "more than 10000 segments"),
        ("png of chunks", "more than 50000 chunks"),
        ("png of exif", "more than 50000 chunks"),
        ("webp of frames", "more than 500 frames"),
        ("webp of chunks", "more than 10500 chunks"),
        ("tiff of pages", "more than 500 frames"),
        ("tiff of strips", "more than 250000 strips and tiles"),
        ("avif of boxes", "no still picture|more than 10000 boxes"),
    ],
)
def test_beyond_the_bound_a_file_is_refused_and_the_reason_names_the_bound(
    name: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(LABORIOUS[name](LARGE + 400_000))
    with pytest.raises((Undecodable, TooLarge), match=says):
        take(path, tuple(FORMATS), LIMITS)


def test_what_real_files_have_is_far_within_the_bounds(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(GIF + (b"!\xf9\4\0\1\0\0\0" + FRAME) * 500 + b"x" * 1000 + b";")
    assert take(path, ("gif",), LIMITS).frames == 500
    path.write_bytes(tiff_strips(8 * 100_000))
    assert take(path, ("tif",), LIMITS).frames == 1


def test_as_many_frames_as_an_operator_may_allow_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(GIF + EMPTY_FRAME * 100_000 + b";")
    assert recognise(path).frames == 100_000
