"""`@full` of an AVIF of tiles is a copy: the coded tiles and what puts them together stay, all else goes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from service.engine.job import Undecodable
from tests import images, profiles
from tests.engine.deriving import derive
from tests.engine.free_bytes.avifs import avif_box
from tests.engine.heif_boxes import box, turned
from tests.images import Pixels

TILE = (128, 96)
SECRET = b"A secret place, 52.5 N 13.4 E"
EXIF = b"\0\0\0\6Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + SECRET
ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"


def tiles(pixels: Pixels) -> list[bytes]:
    """Whole files of the tiles of 2 by 2, row by row; what lies beyond the picture is gray."""
    width, height = TILE
    padded = np.full((2 * height, 2 * width, pixels.shape[2]), 128, np.uint8)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    made = []
    for top, left in ((0, 0), (0, width), (height, 0), (height, width)):
        buffer = io.BytesIO()
        tile = padded[top : top + height, left : left + width]
        Image.fromarray(tile).save(buffer, "AVIF", quality=80, subsampling="4:4:4")
        made.append(buffer.getvalue())
    return made


def coded(whole: bytes) -> bytes:
    media = avif_box(whole, b"mdat")
    return whole[media.start : media.end]


def property_of(whole: bytes, kind: bytes) -> bytes:
    found = avif_box(whole, b"meta", b"iprp", b"ipco", kind)
    return box(kind, whole[found.start : found.end])


def grid(
    pixels: Pixels,
    *,
    in_idat: bool = False,
    wide: bool = False,
    extra: Sequence[bytes] = (),
    colour: bytes = b"",
    with_alpha: bool = False,
) -> bytes:
    """The grid (ISO/IEC 23008-12, 6.6.2.3) is item 1, its tiles 2 to 5; an alpha is item 6 of tiles 7 to 10."""
    height, width = pixels.shape[:2]
    parts = tiles(pixels[..., :3])
    planes = [parts]
    if with_alpha:
        planes.append(tiles(np.dstack([pixels[..., 3]] * 3)))
    says = bytes((0, wide, 1, 1)) + struct.pack(">II" if wide else ">HH", width, height)
    shown = [box(b"ispe", struct.pack(">III", 0, width, height)), colour or property_of(parts[0], b"colr"), *extra]
    of_tile = [property_of(parts[0], kind) for kind in (b"ispe", b"av1C", b"pixi")]
    properties = [*shown, *of_tile, box(b"auxC", bytes(4) + ALPHA)]
    first = len(shown)
    items: list[tuple[bytes, bytes, list[int]]] = []
    references = b""
    for plane, files in enumerate(planes):
        number = 1 + 5 * plane
        essential = [0x80 | index for index in range(3, first + 1)]
        said = [1, 2, *essential] if plane == 0 else [1, len(properties)]
        items.append((b"grid", says, [*said, first + 3]))
        items += [(b"av01", coded(each), [first + 1, first + 2, first + 3]) for each in files]
        references += box(b"dimg", struct.pack(">6H", number, 4, *range(number + 1, number + 5)))
    if with_alpha:
        references += box(b"auxl", struct.pack(">3H", 6, 1, 1))
    items.append((b"Exif", EXIF, []))
    references += box(b"cdsc", struct.pack(">3H", len(items), 1, 1))
    return assembled(items, properties, references, in_idat)


def assembled(
    items: list[tuple[bytes, bytes, list[int]]], properties: list[bytes], references: bytes, in_idat: bool
) -> bytes:
    begin = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    rows = b"".join(
        struct.pack(">HB", number, len(those)) + bytes(those) for number, (_, _, those) in enumerate(items, 1)
    )
    kept = b"".join(data for kind, data, _ in items if kind == b"grid") if in_idat else b""

    def meta(at: int) -> bytes:
        places, inside = b"", 0
        for number, (kind, data, _) in enumerate(items, 1):
            here = in_idat and kind == b"grid"
            places += struct.pack(">HHHHII", number, here, 0, 1, inside if here else at, len(data))
            inside, at = (inside + len(data), at) if here else (inside, at + len(data))
        infos = b"".join(
            box(b"infe", struct.pack(">IHH", 2 << 24, number, 0) + kind + b"\0")
            for number, (kind, _, _) in enumerate(items, 1)
        )
        parts = (
            box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
            box(b"pitm", bytes(4) + b"\0\1"),
            box(b"iloc", struct.pack(">IHH", 1 << 24, 0x4400, len(items)) + places),
            box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + infos),
            box(b"iref", bytes(4) + references),
            box(b"iprp", box(b"ipco", b"".join(properties)) + box(b"ipma", struct.pack(">II", 0, len(items)) + rows)),
            box(b"idat", kept) if kept else b"",
        )
        return box(b"meta", bytes(4) + b"".join(parts))

    data = b"".join(data for kind, data, _ in items if not (in_idat and kind == b"grid"))
    return begin + meta(len(begin + meta(0)) + 8) + box(b"mdat", data)


def decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.copy()


@pytest.mark.parametrize("in_idat", [False, True])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_tiles_are_copied_as_they_are(in_idat: bool, wide: bool, with_alpha: bool) -> None:
    pixels = images.photo(200, 150)
    if with_alpha:
        pixels = np.dstack([pixels, images.soft_alpha(200, 150)])
    data = grid(pixels, in_idat=in_idat, wide=wide, with_alpha=with_alpha)
    made = derive(data, "", "avif")
    before, after = decoded(data), decoded(made.data)
    assert before.size == (200, 150)
    assert (after.mode, after.size, after.tobytes()) == (before.mode, before.size, before.tobytes())
    assert len(made.data) <= len(data)
    assert made.data.count(b"infe") == (10 if with_alpha else 5)
    assert SECRET in data
    assert SECRET not in made.data
    assert b"Exif" not in made.data


def test_the_grid_that_is_copied_shows_what_was_put_into_it() -> None:
    pixels = images.quadrants(200, 150)
    shown = derive(derive(grid(pixels), "", "avif").data, "", "png").pixels()
    assert np.abs(shown - pixels).mean() < 3


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_turn_of_a_grid_stays(quarters: int) -> None:
    data = grid(images.quadrants(200, 150), extra=[turned(quarters)])
    made = derive(data, "", "avif")
    assert turned(quarters) in made.data
    assert np.array_equal(derive(made.data, "", "png").pixels(), derive(data, "", "png").pixels())
    assert np.abs(derive(made.data, "", "png").pixels() - np.rot90(images.quadrants(200, 150), quarters)).mean() < 3


@pytest.mark.parametrize(
    "colour",
    [
        box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 6, 0x80)),
        box(b"colr", b"prof" + profiles.matrix("Display P3", None)),
    ],
)
def test_what_says_the_colour_of_a_grid_stays(colour: bytes) -> None:
    data = grid(images.flat(200, 150, (200, 60, 60)), colour=colour)
    made = derive(data, "", "avif")
    assert made.data.count(b"colr" + colour[8:12]) == 1
    assert np.array_equal(derive(made.data, "", "png").pixels(), derive(data, "", "png").pixels())
    assert derive(made.data, "", "png").pixels()[9, 9][0] > 210  # P3's red of 200 is brighter in sRGB


def test_a_grid_without_one_of_its_tiles_is_refused() -> None:
    data = grid(images.photo(200, 150))
    tile = data.index(struct.pack(">6H", 1, 4, 2, 3, 4, 5))
    with pytest.raises(Undecodable):
        derive(data[: tile + 10] + b"\0\x63" + data[tile + 12 :], "", "avif")
