"""`@full` of a moving AVIF: its frames are copied as they are coded, with their times and runs, or it is told why not.

Pillow is the judge of frames and delays. Places where something may hide are tried in `free_bytes`.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from service.engine.headers import movie
from service.engine.headers.source import OpenedFile
from service.engine.job import EngineError, Limits
from service.engine.recognise import recognise
from service.engine.strip import strip
from tests import images, profiles
from tests.counts import examples
from tests.engine.deriving import LIMITS, Made, derive, describe
from tests.engine.free_bytes import LONG, PLANTED
from tests.engine.free_bytes.avifs import unit
from tests.engine.movies import Box, changed, parsed, samples_of, shown, units, with_samples
from tests.engine.sequences import FOREIGN
from tests.waiting import little_work

DELAYS = [100, 50, 200, 70]
PICTURES = (1, 3, 4, 6)  # units: a sequence header, a frame header, a tile group, a frame
TABLE = "moov/trak/mdia/minf/stbl"
ENTRY = f"{TABLE}/stsd/av01"


def moving(*, alpha: bool = False, **options: object) -> bytes:
    frames = images.moving(64, 48, len(DELAYS), alpha=alpha)
    return images.animation(frames, "AVIF", duration=DELAYS, speed=9, **options)


PLAIN = moving()
CLEAR = moving(alpha=True)
ORIGINALS = {"libavif": PLAIN, "libavif, with transparency": CLEAR, **FOREIGN}


def copied(data: bytes, recipe: str = "", **job: object) -> Made:
    made = derive(data, recipe, "avif", **job)
    assert made.result.anew == ""
    return made


def story(data: bytes, folder: Path) -> movie.Movie | None:
    """Size, delays, transparency and runs, as `@meta.json` tells them."""
    (folder / "moving").write_bytes(data)
    with OpenedFile(folder / "moving") as file:
        return movie.movie(file)


def pictures(data: bytes, track: int) -> list[list[tuple[int, bytes]]]:
    """The units of each picture that decoding needs."""
    return [[unit for unit in units(one) if unit[0] in PICTURES] for one in samples_of(data, track)]


@pytest.mark.parametrize("name", ORIGINALS)
def test_frames_are_copied_as_they_are_coded_and_shown_as_they_were(name: str, tmp_path: Path) -> None:
    data = ORIGINALS[name]
    made = copied(data).data
    assert shown(made) == shown(data)
    assert story(made, tmp_path) == story(data, tmp_path)
    for track in range(data.count(b"trak")):
        assert pictures(made, track) == pictures(data, track)
        assert {kind for one in samples_of(made, track) for kind, _ in units(one)} <= set(PICTURES)
    assert len(made) <= len(data)
    assert copied(made).data == made


def test_originals_are_of_all_kinds(tmp_path: Path) -> None:
    """Both versions of boxes, all depths that Pillow's decoder takes to 8 bits, runs for ever and three times."""
    told = [story(data, tmp_path) for data in ORIGINALS.values()]
    assert {one.plays for one in told if one} == {0, 3}
    assert {parsed(data).find("moov/mvhd").content[0] for data in ORIGINALS.values()} == {0, 1}
    assert {parsed(data).find(f"{ENTRY}/av1C").content[2] >> 6 & 1 for data in ORIGINALS.values()} == {0, 1}


@pytest.mark.parametrize("times", [1, 2, 7, 1 << 33])
def test_runs_stay(times: int, tmp_path: Path) -> None:
    def change(whole: Box) -> None:
        for box, at in (("moov/mvhd", 24), ("moov/trak/tkhd", 28)):
            whole.find(box).put(at, struct.pack(">Q", sum(DELAYS) * times))

    data = changed(PLAIN, change)
    told = story(copied(data).data, tmp_path)
    assert told == story(data, tmp_path)
    assert told and told.plays == times


@pytest.mark.parametrize("listed", [True, False])
def test_a_track_that_does_not_repeat_runs_as_before(listed: bool, tmp_path: Path) -> None:
    def change(whole: Box) -> None:
        if listed:
            whole.find("moov/trak/edts/elst").put(3, b"\0")
        else:
            whole.find("moov/trak").without(b"edts")

    data = changed(PLAIN, change)
    made = copied(data).data
    assert story(made, tmp_path) == story(data, tmp_path)
    assert (b"elst" in made) is listed


def test_pictures_in_chunks_of_their_own_with_wide_offsets_become_one_chunk() -> None:
    def change(whole: Box) -> None:
        for index in range(2):
            table = whole.find(f"moov/trak:{index}/mdia/minf/stbl")
            (at,), sizes = struct.unpack(">I", table.find("stco").content[8:]), table.find("stsz").content[12:]
            lengths = [size for (size,) in struct.iter_unpack(">I", sizes)]
            places = [at + sum(lengths[:number]) for number in range(len(lengths))]
            table.find("stsc").content = struct.pack(">8I", 0, 2, 1, 1, 1, 3, 1, 1)
            table.find("stco").content = struct.pack(">II", 0, len(places)) + b"".join(
                struct.pack(">I", place) for place in places
            )

    def widened(data: bytes) -> bytes:
        whole = parsed(data)
        for index in range(2):
            table = whole.find(f"moov/trak:{index}/mdia/minf/stbl")
            places = [at for (at,) in struct.iter_unpack(">I", table.find("stco").content[8:])]
            table.without(b"stco")
            moved = [at + 2 * len(places) * 4 for at in places]
            table.parts.append(Box(b"co64", struct.pack(f">II{len(moved)}Q", 0, len(moved), *moved)))
        return whole.written()

    split = changed(CLEAR, change)
    plain = shown(CLEAR)
    assert shown(split) == plain
    assert copied(split).data == copied(CLEAR).data
    without_still = changed(split, _without_still)
    wide = widened(without_still)
    assert shown(wide) == plain
    assert copied(wide).data == copied(without_still).data


def test_pictures_of_equal_length_have_it_stated_once() -> None:
    first = samples_of(PLAIN)[0]
    data = with_samples(PLAIN, [first] * len(DELAYS))
    made = copied(data).data
    assert shown(made) == shown(data)
    assert len(parsed(made).find(f"{TABLE}/stsz").content) == 12
    assert copied(made).data == made


def _without_still(whole: Box) -> None:
    whole.without(b"meta")
    whole.find("ftyp").content = b"avis\0\0\0\0avismsf1miafiso8"


def test_a_sequence_without_a_still_picture_has_none_in_its_copy_either() -> None:
    bare = changed(PLAIN, _without_still)
    made = copied(bare).data
    assert shown(made) == shown(bare) == shown(PLAIN)
    assert b"meta" not in made and b"mif1" not in made[:48]
    assert len(made) <= len(bare)


def test_a_still_picture_of_its_own_stays_and_one_that_is_the_first_frame_is_held_once() -> None:
    still = images.avif(images.photo_alpha(64, 48)[..., :3])
    coded = still[still.index(b"mdat") + 4 :]

    def change(whole: Box) -> None:
        whole.parts.append(Box(b"mdat", coded))

    data = parsed(changed(PLAIN, change))
    data.find("meta/iloc").put(14, struct.pack(">II", len(data.written()) - len(coded), len(coded)))
    own = copied(data.written()).data
    assert shown(own) == shown(PLAIN)
    assert _as_still(own) == _as_still(data.written()) != _as_still(PLAIN)
    assert _as_still(copied(PLAIN).data) == _as_still(PLAIN)
    assert len(own) > len(copied(PLAIN).data) + len(coded) - 100


def _as_still(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data[:8] + b"avif" + data[12:])) as image:
        return image.convert("RGBA").tobytes()


def test_a_profile_stays_and_that_of_srgb_becomes_numbers() -> None:
    wide = copied(moving(icc_profile=profiles.display_p3()))
    assert wide.pillow().info["icc_profile"]
    plain = copied(moving(icc_profile=profiles.srgb()))
    assert "icc_profile" not in plain.pillow().info
    assert plain.data.count(b"nclx" + struct.pack(">HH", 1, 13)) == 2  # of the still picture and of the track


def test_a_turned_track_stays_turned_in_its_copy_and_is_set_upright_elsewhere() -> None:
    """`irot` of the sample entry, by which libavif goes."""

    def change(whole: Box) -> None:
        whole.find(ENTRY).parts.append(Box(b"irot", b"\1"))

    data = changed(PLAIN, change)
    copy = copied(data)
    assert parsed(copy.data).find(f"{ENTRY}/irot").content == b"\1"
    assert (copy.result.width, copy.result.height) == (48, 64)
    for original in (data, copy.data):
        upright = derive(original, "frame=2", "png")
        assert (upright.pixels() == np.rot90(derive(PLAIN, "frame=2", "png").pixels())).all()
        assert derive(original, "w=24", "webp").pillow().size == (24, 32)
        assert json.loads(describe(original, "width", "height").data) == {"width": 48, "height": 64}


def test_a_cut_track_is_as_large_as_what_is_shown() -> None:
    made = derive(changed(PLAIN, _clap), "frame=1", "png")
    assert (made.pixels() == derive(PLAIN, "frame=1", "png").pixels()[12:36, 16:48]).all()


def test_transparency_that_is_multiplied_stays_so() -> None:
    def change(whole: Box) -> None:
        whole.find("moov/trak").parts.insert(1, Box(b"tref", b"", [Box(b"prem", struct.pack(">I", 2))]))

    data = changed(CLEAR, change)
    assert shown(data) != shown(CLEAR)
    assert shown(copied(data).data) == shown(data)


def test_keep_is_as_in_other_copies() -> None:
    data = moving(exif=images.exif())
    assert copied(data, "keep=icc", keep=("icc",)).data == copied(data).data
    noted = derive(data, "keep=copyright", "avif", keep=("copyright",))
    assert noted.pillow().n_frames == len(DELAYS)  # type: ignore[attr-defined]
    assert noted.result.anew == ""  # it was not to be copied: a notice is written by the encoder


@pytest.mark.parametrize("has_still", [True, False])
def test_keep_provenance_writes_it_beside_the_copy(has_still: bool) -> None:
    kind = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        b'Iptc4xmpExt:DigitalSourceType="' + kind + b'">' + PLANTED + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    data = PLAIN if has_still else changed(PLAIN, _without_still)
    data += Box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + packet).written()
    made = copied(data, "keep=provenance", keep=("provenance",)).data
    assert kind in made and PLANTED not in made
    assert shown(made) == shown(PLAIN)
    assert kind in copied(made, "keep=provenance", keep=("provenance",)).data


def test_the_frame_budget_is_the_encoders() -> None:
    small = Limits(LIMITS.pixels, 100, 4096, 4096, time=0.001)
    assert shown(copied(PLAIN, limits=small).data) == shown(PLAIN)
    with pytest.raises(EngineError, match="an animation in avif may have"):
        derive(PLAIN, "w=40", "avif", limits=small)


def test_a_quality_that_would_be_larger_gives_the_copy() -> None:
    small = moving(quality=20)
    assert derive(small, "q=95", "avif").data == copied(small).data


def _clap(whole: Box) -> None:
    whole.find(ENTRY).parts.append(Box(b"clap", struct.pack(">8i", 32, 1, 24, 1, 0, 1, 0, 1)))


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
    "a copy would hold what is cut off": (PLAIN, _clap),
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
    data = changed(PLAIN, lambda whole: None)
    whole = parsed(data)
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
