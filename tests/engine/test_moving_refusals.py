"""`@full` of a moving AVIF built in a way that is not known, or damaged: it is encoded once more, or refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from service.engine.flaws import avif
from service.engine.job import EngineError
from service.engine.jxl.held import Held
from service.engine.recognise import recognise
from service.engine.strip import strip
from tests.counts import examples
from tests.engine.deriving import derive
from tests.engine.free_bytes import LONG, PLANTED
from tests.engine.free_bytes.avifs import unit
from tests.engine.movies import Box, changed, parsed, samples_of, shown, units, with_samples
from tests.engine.moving_avifs import CLEAR, ENTRY, ORIGINALS, PLAIN, TABLE, copied, cut, story
from tests.pictures.avifs import split
from tests.waiting import little_work


def _edits(*rows: tuple[int, int, int]) -> Callable[[Box], None]:
    def change(whole: Box) -> None:
        made = b"".join(struct.pack(">QqI", *row) for row in rows)
        whole.find("moov/trak/edts/elst").content = struct.pack(">II", 1 << 24, len(rows)) + made

    return change


def _put(path: str, at: int, content: bytes) -> Callable[[Box], None]:
    return lambda whole: whole.find(path).put(at, content)


def _composed(whole: Box) -> None:
    whole.find(TABLE).parts.append(Box(b"ctts", struct.pack(">6I", 0, 2, 2, 0, 2, 40)))


def _described_twice(whole: Box) -> None:
    described = whole.find(f"{TABLE}/stsd")
    described.put(4, struct.pack(">I", 2))
    described.parts *= 2


def _pictured_alpha(whole: Box) -> None:
    whole.find("moov/trak:1/mdia/hdlr").put(8, b"pict")


def _depth(whole: Box) -> None:
    name = b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0"
    whole.find("moov/trak:1/mdia/minf/stbl/stsd/av01/auxi").content = bytes(4) + name


def _shared(whole: Box) -> None:
    """One picture many times, in chunks of which each begins at the same place."""
    table = whole.find(TABLE)
    (size,) = struct.unpack_from(">I", table.find("stsz").content, 12)
    (at,) = struct.unpack_from(">I", table.find("stco").content, 8)
    table.find("stsz").content = struct.pack(">3I", 0, size, 90)
    table.find("stsc").content = struct.pack(">5I", 0, 1, 1, 1, 1)
    table.find("stco").content = struct.pack(">92I", 0, 90, *[at] * 90)
    table.find("stts").content = struct.pack(">4I", 0, 1, 90, 40)


def _crowded(whole: Box) -> None:
    entry = whole.find(ENTRY)
    entry.parts = [Box(b"free", b"")] * 64 + entry.parts


REFUSED: dict[str, tuple[bytes, Callable[[Box], None]]] = {
    "a copy would hold what is cut off": (PLAIN, cut),
    "its track is turned, moved or scaled": (
        PLAIN,
        _put("moov/trak/tkhd", 52, struct.pack(">5I", 0, 1 << 16, 0, (1 << 32) - (1 << 16), 0)),
    ),
    "its track has an edit list of more than one part": (PLAIN, _edits((420, 0, 1 << 16), (420, 0, 1 << 16))),
    "its track does not begin with its first picture, or has another speed": (PLAIN, _edits((420, 100, 1 << 16))),
    "its pictures are shown in another order than they are stored in": (PLAIN, _composed),
    "its pictures are described in several ways": (PLAIN, _described_twice),
    "its pictures are described by too much": (PLAIN, _crowded),
    "it has no box mvhd": (PLAIN, lambda whole: whole.find("moov").without(b"mvhd")),
    "its track has no table stts": (CLEAR, lambda whole: whole.find("moov/trak:1/mdia/minf/stbl").without(b"stts")),
    "its pictures lie in fragments": (PLAIN, lambda whole: whole.parts.append(Box(b"moof", LONG))),
    "its pictures share bytes": (PLAIN, _shared),
    "its transparency is not shown as long as its pictures are": (
        CLEAR,
        _put("moov/trak:1/mdia/minf/stbl/stts", 12, struct.pack(">I", 30)),
    ),
    "a track belongs to its pictures in a way that is not known": (CLEAR, _pictured_alpha),
    "a track belongs to its pictures that is no transparency": (CLEAR, _depth),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_built_otherwise_is_encoded_once_more_and_says_why(reason: str) -> None:
    data, change = REFUSED[reason]
    original = changed(data, change)
    made = derive(original, "", "avif")
    assert made.result.anew == reason
    assert len(shown(made.data)) == len(shown(original))
    assert PLANTED not in made.data


@pytest.mark.parametrize("kind", [b"clap", b"colr"])
def test_what_an_entry_says_at_length_is_not_left_out_in_silence(kind: bytes, tmp_path: Path) -> None:
    data = changed(PLAIN, lambda whole: whole.find(ENTRY).parts.append(Box(kind, b"prof" + bytes(1 << 20))))
    assert _why_not_copied(data, tmp_path) == "its pictures are described by too much"


def test_without_the_decoder_s_configuration_there_is_no_copy(tmp_path: Path) -> None:
    data = changed(PLAIN, lambda whole: whole.find(ENTRY).without(b"av1C"))
    assert _why_not_copied(data, tmp_path) == "the configuration of its decoder is missing"


def _why_not_copied(data: bytes, folder: Path) -> str:
    (folder / "source").write_bytes(data)
    reasons: list[str] = []
    assert not strip(folder / "source", folder / "target", recognise(folder / "source"), reasons=reasons)
    return reasons[0]


def test_a_track_of_number_0_is_none() -> None:
    """As libavif has it: what such a track says of transparency does not count."""
    made = derive(changed(CLEAR, _put("moov/trak:1/tkhd", 20, bytes(4))), "", "avif")
    assert made.result.anew == "a track belongs to its pictures in a way that is not known"
    assert made.pillow().mode == "RGB"


def test_tracks_of_one_number_are_encoded_once_more() -> None:
    made = derive(changed(CLEAR, _put("moov/trak:1/tkhd", 20, struct.pack(">I", 1))), "", "avif")
    assert made.result.anew == "a track belongs to its pictures in a way that is not known"


def test_the_last_duration_holds_for_all_that_are_left_and_none_behind_the_table_counts(tmp_path: Path) -> None:
    """As libavif has it, whatever number of pictures the last entry names."""
    table = struct.pack(">10I", 0, 3, 1, 100, 1, 50, 0, 70, 2, 200)
    data = changed(PLAIN, lambda whole: setattr(whole.find(f"{TABLE}/stts"), "content", table))
    made = copied(data).data
    told = story(data, tmp_path)
    assert told and told.delays == [100, 50, 70, 70] == [delay for _, delay in shown(data)]
    assert shown(made) == shown(data)
    assert story(made, tmp_path) == told


def test_sequence_headers_that_differ_are_not_copied(tmp_path: Path) -> None:
    first, *others = samples_of(PLAIN)
    header = next(content for kind, content in units(first) if kind == 1)
    other = unit(1, bytes([header[0] ^ 0x10]) + header[1:])  # still_picture
    data = with_samples(PLAIN, [first, other + others[0], *others[1:]])
    assert _why_not_copied(data, tmp_path) == "its pictures have no sequence header, or several"


@pytest.mark.parametrize(
    ("table", "at", "value"),
    [
        ("stsz", 8, 2**32 - 1),  # so many pictures
        ("stsz", 4, 2**32 - 1),  # so many bytes each
        ("stsz", 16, 2**31),  # and of one of them
        ("stsc", 12, 2**32 - 1),  # so many in a chunk
        ("stsc", 8, 2),  # there is no first chunk
        ("stsc", 4, 2**32 - 1),
        ("stco", 8, 2**32 - 1),
        ("stco", 4, 2**32 - 1),
        ("stco", 4, 0),
        ("stts", 4, 2**32 - 1),
        ("stts", 4, 0),
        ("stss", 4, 2**32 - 1),
    ],
)
def test_tables_that_lie_do_no_harm(table: str, at: int, value: int, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(changed(PLAIN, _put(f"{TABLE}/{table}", at, struct.pack(">I", value))))
    try:
        with little_work():
            done = strip(source, target, recognise(source))
    except EngineError:
        done = False
    made = target.stat().st_size if target.exists() else 0
    assert 0 < made <= source.stat().st_size if done else made == 0


@pytest.mark.parametrize("missing", ["stsd", "stts", "stsc", "stsz", "stco"])
def test_a_track_without_a_table_is_refused_or_shown_as_a_still(missing: str) -> None:
    whole = parsed(PLAIN)
    whole.find(TABLE).without(missing.encode())
    try:
        made = derive(whole.written(), "", "avif")
    except EngineError:
        return
    assert b"moov" not in made.data


@pytest.mark.slow
@pytest.mark.parametrize("name", ["libavif, with transparency", "ffmpeg.avif"])
def test_a_damaged_head_is_refused_or_its_copy_shows_what_it_shows(name: str, tmp_path: Path) -> None:
    data, chance = ORIGINALS[name], Random(name)
    source, target, head = tmp_path / "source", tmp_path / "target", data.index(b"mdat")
    begin = data.index(b"moov")
    for _ in range(examples(150)):
        damaged = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(begin, head)] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
        source.write_bytes(damaged)
        try:
            with little_work():
                header = recognise(source)
                done = header.format == "avif" and strip(source, target, header)
            if not done or header.frames == 1 or header.width * header.height * header.frames > 100_000:
                continue
            before = shown(bytes(damaged))
        except (EngineError, OSError, ValueError, RuntimeError, EOFError):
            continue
        assert shown(target.read_bytes()) == before


def test_associations_in_several_boxes_are_not_mended_where_frames_would_move() -> None:
    """A track says by itself where its frames lie."""
    assert not avif.mend(Held(split(CLEAR)), True).pieces
