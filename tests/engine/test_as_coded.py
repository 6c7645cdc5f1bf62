"""A sequential JPEG whose data stay as they are coded on the way to JPEG XL: the result is that of a JPEG that is coded
anew, to the last byte, and whatever could tell them apart is coded anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from service.engine.job import Undecodable
from service.engine.jpeg import as_coded, filling, recode, turbo
from service.engine.jpeg.parts import DHT, SOF0, joined, of_size, parts, segment
from service.engine.jxl import libjxl, transcoding
from service.engine.jxl.held import Held
from tests import images
from tests.counts import examples
from tests.engine.deriving import derive
from tests.engine.odd_jpegs import Jpeg, Sampling
from tests.engine.test_damaged_jpegs import coded, overwritten
from tests.metadata import SECRET
from tests.profiles import display_p3

SAMPLINGS: dict[str, list[Sampling]] = {
    "full": [(1, 1), (1, 1), (1, 1)],
    "half": [(2, 1), (1, 1), (1, 1)],
    "half upright": [(1, 2), (1, 1), (1, 1)],
    "quarter": [(2, 2), (1, 1), (1, 1)],
    "gray": [(1, 1)],
}
ODD = images.photo(203, 151)
"""Of sizes that no unit divides."""


def in_one_table(data: bytes) -> bytes:
    """With all Huffman tables in one segment."""
    found = list(parts(Held(data), range(0xC0, 0xFF)))
    tables = b"".join(part.head[4:] for part in found if part.marker == DHT)
    first = next(part for part in found if part.marker == DHT)
    others = [part for part in found if part.marker != DHT or part is first]
    return joined(part._replace(head=segment(DHT, tables)) if part is first else part for part in others)


def with_symbols(data: bytes) -> bytes:
    """With symbols that no block has in the last Huffman table."""
    at = data.rindex(b"\xff\xc4")
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
    lengths, symbols = bytearray(data[at + 5 : at + 21]), data[at + 21 : end]
    lengths[15] += len(SYMBOLS)
    assert not set(symbols) & set(SYMBOLS)
    return data[:at] + segment(DHT, data[at + 4 : at + 5] + lengths + symbols + SYMBOLS) + data[end:]


SYMBOLS = bytes(sorted(set(SECRET.encode()) - {*b"-"}))
"""No symbol may be in a table twice, nor be one for which the standard's tables have no code."""

TAKEN = {
    "as Pillow writes it": images.jpeg(exif=images.exif()),
    "odd size": images.jpeg(ODD),
    "odd size, half chroma": images.jpeg(ODD, subsampling="4:2:2"),
    "odd size, full chroma": images.jpeg(ODD, subsampling="4:4:4"),
    "gray": images.jpeg_gray(203, 151),
    "tables of its own": images.jpeg(ODD, optimize=True),
    "gray, tables of its own": images.jpeg_gray(optimize=True),
    "all tables in one segment": in_one_table(images.jpeg(ODD)),
    "no JFIF": images.jpeg(ODD)[:2] + images.jpeg(ODD)[20:],
    "profile": images.jpeg(ODD, icc_profile=display_p3()),
    "profile, tables of its own": images.jpeg(icc_profile=display_p3(), optimize=True),
    "bytes behind the end": images.jpeg() + SECRET.encode(),
    "a comment": images.jpeg(comment=SECRET),
    "symbols that are not used": with_symbols(images.jpeg(optimize=True)),
    **{f"blocks written here, {name}": Jpeg((80, 48), sampling).data() for name, sampling in SAMPLINGS.items()},
}


class Steep(Jpeg):
    """Each block is so much lighter than the one before it that their DC leaves what samples of 8 bits give."""

    def _block(self, number: int, x: int, y: int, most: Sequence[int]) -> list[int]:
        return [700 * x, *bytes(63)]


BESIDE = Jpeg((67, 35), SAMPLINGS["quarter"])
"""What fills its last units up is drawn by chance."""

NOT_TAKEN = {
    "progressive": images.jpeg(progressive=True),
    "restarts": images.jpeg(restart_marker_blocks=2),
    "CMYK": images.jpeg_cmyk(),
    "filling": BESIDE.data(),
    "stray bytes": replace(BESIDE, stray=SECRET.encode()).data(),
    "levels that no samples give": Steep((40, 8), SAMPLINGS["gray"]).data(),
    "an odd sampling": Jpeg((80, 64), [(4, 2), (1, 1), (1, 1)]).data(),
    "a table behind the scan": images.jpeg()[:-2] + segment(DHT, b"\0" + bytes(16)) + images.jpeg()[-2:],
}


def kept(data: bytes) -> as_coded.AsCoded | None:
    return as_coded.as_coded(Held(data))


@pytest.fixture
def made_anew(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, str], bytes]:
    """What a JPEG gives that is coded anew."""

    def make(data: bytes, kind: str) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr(as_coded, "as_coded", lambda _: None)
            return derive(data, "", kind).data

    return make


@pytest.mark.parametrize("kind", TAKEN)
def test_the_result_is_that_of_a_jpeg_that_is_coded_anew(kind: str, made_anew: Callable[[bytes, str], bytes]) -> None:
    data = TAKEN[kind]
    assert kept(data)
    made = derive(data, "", "jxl").data
    assert made == made_anew(data, "jxl")
    assert derive(made, "", "jxl").data == made
    assert derive(made, "", "jpg").data == derive(data, "", "jpg").data


@pytest.mark.parametrize("kind", NOT_TAKEN)
def test_all_others_are_coded_anew(kind: str) -> None:
    assert kept(NOT_TAKEN[kind]) is None


@pytest.mark.parametrize("kind", SAMPLINGS)
@pytest.mark.parametrize("size", [(80, 48), (65, 33), (72, 48), (80, 40), (7, 5)])
def test_what_fills_the_last_units_does_not_leave(size: tuple[int, int], kind: str) -> None:
    jpeg = Jpeg(size, SAMPLINGS[kind])
    other = replace(jpeg, filling=1)
    assert derive(jpeg.data(), "", "jxl").data == derive(other.data(), "", "jxl").data
    assert (kept(jpeg.data()) is not None) == (jpeg.data() == other.data())


def test_symbols_that_are_not_used_do_not_leave() -> None:
    data = TAKEN["symbols that are not used"]
    assert SYMBOLS in data
    assert SYMBOLS not in images.jpeg_of_jxl(derive(data, "", "jxl").data)


def test_the_standards_tables_chosen_otherwise_are_tables_of_its_own() -> None:
    data = bytearray(images.jpeg())
    assert recode.needed(Held(bytes(data))).most
    scan = data.index(b"\xff\xda")
    assert data[scan + 6 : scan + 11 : 2] == b"\x00\x11\x11"
    data[scan + 8] = data[scan + 10] = 0
    assert not recode.needed(Held(bytes(data))).most


@pytest.mark.parametrize(("size", "held"), [(100, 1), (1 << 15, 0)])
def test_what_rebuilds_a_jpeg_is_held_for_the_next_unless_it_is_large(size: int, held: int) -> None:
    transcoding._usual_recipe_of.cache_clear()
    assert transcoding.from_jpeg(images.jpeg(), images.jpeg(comment="x" * size))
    assert transcoding._usual_recipe_of.cache_info().currsize == held


@pytest.mark.parametrize("kind", ["baseline", "optimised"])
@pytest.mark.parametrize("length", [1, 24])
def test_a_damaged_jpeg_gives_what_it_gives_coded_anew(
    length: int, kind: str, made_anew: Callable[[bytes, str], bytes]
) -> None:
    for data in overwritten(coded(kind), examples(8), length, f"as coded {kind} {length}"):
        try:
            expected = made_anew(data, "jxl")
        except Undecodable as error:
            with pytest.raises(Undecodable) as found:
                derive(data, "", "jxl")
            assert str(found.value) == str(error)
            continue
        assert derive(data, "", "jxl").data == expected


def test_where_one_of_both_has_no_box_there_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {b"a JPEG": images.jxl_of_jpeg(images.jpeg()), b"another": images.jxl_of_jpeg(images.jpeg(ODD))}
    monkeypatch.setattr(transcoding, "_coded", lambda data: made.get(data, images.jxl()))
    assert transcoding.from_jpeg(b"a JPEG", b"another")
    assert transcoding.from_jpeg(b"a JPEG", b"bare") == b""
    assert transcoding.from_jpeg(b"bare", b"another") == b""


def test_without_libturbojpeg_nothing_is_known_of_the_filling(monkeypatch: pytest.MonkeyPatch) -> None:
    found = recode.needed(Held(images.jpeg())).parts
    assert filling.holds_nothing(found)
    monkeypatch.setattr(turbo, "library", None)
    assert not filling.holds_nothing(found)


def test_a_size_that_whole_units_would_exceed_is_coded_anew() -> None:
    found = [
        part._replace(head=of_size(part.head, 65_535, 8)) if part.marker == SOF0 else part
        for part in recode.needed(Held(images.jpeg())).parts
    ]
    assert not filling.holds_nothing(found)


pytestmark = pytest.mark.skipif(not libjxl.is_there(), reason="libjxl is missing")
