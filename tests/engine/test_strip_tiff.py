"""A TIFF is copied strip by strip: Pillow and libvips decode the same samples, and there are no other bytes."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, UnidentifiedImageError

from service.engine.recognise import recognise
from service.engine.strip import strip
from tests import images, profiles
from tests.engine.deriving import derive
from tests.engine.free_bytes import PLANTED, SMALL, tiffs
from tests.engine.tiff_files import FILES, FLOATING, PHOTO
from tests.pictures import tiffs as pictures

pytestmark = pytest.mark.slow

KEPT = {
    *(256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 301, 317, 318, 319, 320, 322, 323, 324, 325, 338, 339, 347),
    *(529, 530, 531, 532, 34675),
}
"""TIFF 6.0 and its Technical Note 2: pixels, their compression and their colour."""


def tags(data: bytes) -> set[int]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    assert struct.unpack_from(f"{order}I", data, at + 2 + 12 * count) == (0,)  # no other page
    return {struct.unpack_from(f"{order}H", data, at + 2 + 12 * number)[0] for number in range(count)}


def by_vips(data: bytes) -> tuple[object, ...]:
    try:
        image = pyvips.Image.tiffload_buffer(data)
        return image.width, image.height, image.bands, image.format, image.interpretation, image.write_to_memory()
    except pyvips.Error:
        return ("not read",)


def by_pillow(data: bytes) -> tuple[object, ...]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.mode, image.size, image.tobytes()
    except (UnidentifiedImageError, OSError, ValueError):
        return ("not read",)


def shown(data: bytes) -> bytes:
    return derive(data, "", "png").data


@pytest.mark.parametrize("name", FILES)
def test_a_copy_has_the_same_samples_and_no_more_bytes(name: str, stripped: Callable[..., bytes]) -> None:
    data = FILES[name]()
    made = stripped(data)
    assert by_vips(made) == by_vips(data)
    assert by_pillow(made) == by_pillow(data)
    assert ("not read",) not in (by_vips(made), by_pillow(made)) or name == FLOATING
    assert len(made) <= len(data)
    assert tags(made) <= KEPT
    assert stripped(made) == made


OTHERS = ("ycbcr planar", "old jpeg", "unspecified", "not said", "straight and one", "one and straight")
"""What names of kinds say that are encoded anew: they have samples that are not shown, or are rare."""


def test_every_kind_is_copied_and_reads_the_same(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    not_copied = []
    for case in pictures.CASES:
        source.write_bytes(data := case.make())
        if not strip(source, target, recognise(source)):
            not_copied.append(case.name)
            continue
        made = target.read_bytes()
        blanked = 8 if "deflate, tiles" in case.name else 0  # zeros beyond an image of one colour, which they interrupt
        assert len(made) <= len(data) + blanked, case
        assert tags(made) <= KEPT, case
        if "big-endian" not in case.name and "thumbnail first" not in case.name:  # other readers read these otherwise
            assert by_vips(made) == by_vips(data), case
            assert by_pillow(made) == by_pillow(data), case
        if any(word in case.name for word in ("big-endian", "thumbnail first", "44")):
            assert shown(made) == shown(data), case
    assert not_copied == [case.name for case in pictures.CASES if any(word in case.name for word in OTHERS)]


def test_bits_behind_a_row_and_samples_of_a_data_unit_are_zero(stripped: Callable[..., bytes]) -> None:
    (rows,) = tiffs.samples(stripped(tiffs.ROWS))
    assert rows == (b"\xff" * 5 + b"\x80") * 41
    (units,) = tiffs.samples(stripped(tiffs.UNITS))
    assert units == bytes((90, 0, 90, 0, 128, 128)) * 24
    for data in (tiffs.ROWS, tiffs.UNITS):
        assert shown(stripped(data)) == shown(data)


def test_samples_that_are_not_shown_go() -> None:
    made = derive(tiffs.NOT_SHOWN, "", "tif")
    assert np.array_equal(made.pixels("RGBA")[..., :3], SMALL)
    assert PLANTED[:5] not in made.data + b"".join(tiffs.samples(made.data))


def test_a_palette_has_the_colours_that_are_used_and_the_bits_that_are_read(stripped: Callable[..., bytes]) -> None:
    data = tiffs.TIFFS["in colours that are not used"]
    with Image.open(io.BytesIO(stripped(data))) as image:
        colours = image.tag_v2[320]  # type: ignore[attr-defined]
    assert colours == (0x1212, 0xFEFE, *[0] * 254) * 3


@pytest.mark.parametrize("chroma", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("used", [(64, 48), (40, 64), (33, 17), (16, 16)])
def test_a_jpeg_tile_holds_nothing_beyond_the_image(
    used: tuple[int, int], chroma: str, stripped: Callable[..., bytes]
) -> None:
    """Blocks of 16 pixels that begin beyond the image are of one colour, but for the chroma that its edge is blended
    with."""
    width, height = used
    ratio = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}[chroma]
    directory = {**tiffs.page(width, height, 3, tiffs.JPEG, 6, tile=64), 530: tiffs.short(*ratio)}
    data = tiffs.built(directory, [tiffs.jpeg_tile(width, height, chroma=chroma)])
    made = stripped(data)
    assert by_vips(made) == by_vips(data)
    assert by_pillow(made) == by_pillow(data)
    with Image.open(io.BytesIO(tiffs.parts(made)[0])) as tile:
        tile.draft("YCbCr", None)
        luma = np.asarray(tile)[..., 0].astype(int)
    right, below = -(-width // 8) * 8, -(-height // 8) * 8
    assert np.ptp(luma[below:]) == 0 if below < 64 else True
    for top in range(0, below, 8):
        assert np.ptp(luma[top : top + 8, right:], axis=None) == 0 if right < 64 else True


def test_a_profile_stays_and_that_of_srgb_goes(stripped: Callable[..., bytes]) -> None:
    for profile, stays in ((profiles.display_p3(), True), (profiles.srgb(), False)):
        data = images.tiff(PHOTO, compression="jpeg", icc_profile=profile)
        with Image.open(io.BytesIO(stripped(data))) as image:
            assert ("icc_profile" in image.info) == stays


def test_what_states_the_colour_stays(stripped: Callable[..., bytes]) -> None:
    stated = {
        318: (tiffs.RATIONAL, struct.pack("<4I", 3127, 10000, 329, 1000)),
        319: (tiffs.RATIONAL, struct.pack("<12I", *(64, 100, 33, 100, 21, 100, 71, 100, 15, 100, 6, 100))),
        301: tiffs.short(*(value * value * 65535 // 65025 for value in range(256))),
    }
    made = stripped(tiffs.built({**tiffs.page(*tiffs.RGB, tiffs.NONE, 2), **stated}, [tiffs.PIXELS]))
    with Image.open(io.BytesIO(made)) as image:
        found = image.tag_v2  # type: ignore[attr-defined]
        assert [float(value) for value in found[318]] == [0.3127, 0.329]
        assert [float(value) for value in found[319]] == [0.64, 0.33, 0.21, 0.71, 0.15, 0.06]
        assert found[301] == tuple(value * value * 65535 // 65025 for value in range(256))


def test_a_strip_that_stands_for_several_is_written_once(stripped: Callable[..., bytes]) -> None:
    directory = {**tiffs.page(64, 480, 3, tiffs.NONE, 2), 278: tiffs.short(48)}
    data = tiffs.built(directory, [b"", *[b""] * 9]).replace(b"", b"")
    pixels = bytearray(data)
    place = len(pixels)
    pixels += tiffs.PIXELS
    for tag, value in ((273, place), (279, len(tiffs.PIXELS))):
        (at,) = struct.unpack_from("<I", pixels, pixels.index(struct.pack("<HHI", tag, 4, 10)) + 8)
        struct.pack_into("<10I", pixels, at, *[value] * 10)
    made = stripped(bytes(pixels))
    assert by_pillow(made) == by_pillow(bytes(pixels))
    assert len(made) < len(tiffs.PIXELS) + 600


def test_strips_that_overlap_are_not_copied(tmp_path: Path) -> None:
    """Each of them a byte further on: a small file would become a large one."""
    directory = {**tiffs.page(64, 4800, 3, tiffs.NONE, 2), 278: tiffs.short(48)}
    data = bytearray(tiffs.built(directory, [b""] * 100))
    place = len(data)
    data += tiffs.PIXELS + bytes(100)
    for tag, values in ((273, range(place, place + 100)), (279, [len(tiffs.PIXELS)] * 100)):
        (at,) = struct.unpack_from("<I", data, data.index(struct.pack("<HHI", tag, 4, 100)) + 8)
        struct.pack_into("<100I", data, at, *values)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    assert not strip(source, target, recognise(source))


def test_a_strip_with_better_tables_than_the_standard_becomes_progressive(stripped: Callable[..., bytes]) -> None:
    grain = np.random.default_rng(1).normal(0, 12, (480, 640, 3))
    own = images.jpeg(np.clip(images.photo(640, 480) + grain, 0, 255).astype(np.uint8), optimize=True, quality=90)
    data = tiffs.built({**tiffs.page(640, 480, 3, tiffs.JPEG, 6), 530: tiffs.short(2, 2)}, [own])
    made = stripped(data)
    assert len(made) <= len(data)
    assert b"\xff\xc2" in made
    assert by_vips(made) == by_vips(data)
    assert by_pillow(made) == by_pillow(data)


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw", "tiff_adobe_deflate", "packbits", None])
@pytest.mark.parametrize("recipe", ["", "w=203", "frame=0", "q=90,h=151"])
def test_an_answer_in_the_same_format_is_never_larger(compression: str | None, recipe: str) -> None:
    data = images.tiff(PHOTO, compression=compression, description="of a holiday")
    made = derive(data, recipe, "tif")
    assert len(made.data) <= len(data)
    assert made.result.bytes == len(made.data)
    assert np.array_equal(made.pixels(), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_of_several_pages_the_copy_is_the_first_and_another_is_the_other() -> None:
    pages = [Image.fromarray(images.photo(96, 72)), Image.new("RGB", (96, 72), (9, 90, 200))]
    data = images.encode(pages[0], "TIFF", compression="jpeg", save_all=True, append_images=pages[1:])
    first, second = derive(data, "", "tif"), derive(data, "frame=1", "tif")
    assert (first.result.frames, second.result.frames) == (1, 1)
    assert 259 in tags(first.data)
    assert np.array_equal(first.pixels(), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert np.abs(second.pixels() - (9, 90, 200)).max() <= 2


def test_one_that_is_cut_short_is_left_to_the_decoder(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for compression, offset in itertools.product((None, "jpeg", "tiff_lzw", "tiff_adobe_deflate"), (1, 40, 900)):
        data = images.tiff(PHOTO, compression=compression)
        source.write_bytes(data)
        header = recognise(source)
        source.write_bytes(data[:-offset])
        assert not strip(source, target, header)
        assert target.read_bytes() == b""


def test_a_damaged_strip_is_judged_by_the_decoder() -> None:
    whole = images.tiff(PHOTO, compression="tiff_adobe_deflate")
    part = tiffs.parts(whole)[0]
    damaged = whole.replace(part, part[:500] + bytes(50) + part[550:])
    with pytest.raises(Exception, match="damaged"):
        derive(damaged, "", "tif")
    assert derive(damaged, "", "tif", tolerant=True).pillow().size == (203, 151)
