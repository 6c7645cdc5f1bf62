"""`@full` of a moving AVIF: its frames are copied as they are coded, with their times and runs.

Pillow is the judge of frames and delays. Places where something may hide are tried in `free_bytes`.
"""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.engine.job import EngineError, Limits
from tests import images, profiles
from tests.engine.deriving import LIMITS, derive, describe
from tests.engine.free_bytes import PLANTED
from tests.engine.movies import Box, changed, parsed, samples_of, shown, units, with_samples
from tests.engine.moving_avifs import CLEAR, DELAYS, ENTRY, ORIGINALS, PLAIN, TABLE, copied, cut, moving, story

PICTURES = (1, 3, 4, 6)  # units: a sequence header, a frame header, a tile group, a frame


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


def test_a_matrix_with_its_bytes_reversed_is_that_of_a_plain_track() -> None:
    """Early versions of libavif wrote it so, in the track and in the movie."""

    def change(whole: Box) -> None:
        whole.find("moov/mvhd").put(48, struct.pack("<9I", *plain))
        whole.find("moov/trak/tkhd").put(52, struct.pack("<9I", *plain))

    plain = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    assert struct.pack(">9I", *plain) in PLAIN
    data = changed(PLAIN, change)
    assert struct.pack(">9I", *plain) not in data
    assert copied(data).data == copied(PLAIN).data


def test_a_cut_track_is_as_large_as_what_is_shown() -> None:
    made = derive(changed(PLAIN, cut), "frame=1", "png")
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
