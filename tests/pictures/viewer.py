"""An answer as a browser with colour management shows it, by Pillow, Little CMS and `reference`, not by the engine."""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from tests.pictures import reference
from tests.pictures.case import Colour, Place


def shown(data: bytes) -> Image.Image:
    """RGBA in sRGB of a file whose colours may be stated by a profile, or by numbers."""
    with Image.open(io.BytesIO(data)) as file:
        file.load()
        kind, icc = file.format, file.info.get("icc_profile")
        upright = ImageOps.exif_transpose(file)
    alpha = upright.convert("RGBA").getchannel("A")
    colour = _eight_bits(upright)
    stated = _stated(data, str(kind), profiled=bool(icc))
    if stated:
        colour = _by_numbers(colour, *stated)
    elif icc:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if source.profile.xcolor_space.strip() == "GRAY":
            colour = colour.convert("L")
        exact = ImageCms.Flags.NOOPTIMIZE  # no table in between, which is ten levels off in dark gray
        srgb = ImageCms.createProfile("sRGB")
        colour = ImageCms.profileToProfile(colour, source, srgb, outputMode="RGB", flags=exact) or colour
    colour = colour.convert("RGB")
    colour.putalpha(alpha)
    return colour


def at(image: Image.Image, place: Place) -> Colour:
    """The mean of a few pixels there, which noise of an encoder does not move."""
    x, y = (min(side - 2, max(1, int(part * side))) for part, side in zip(place, image.size, strict=True))
    pixels: NDArray[np.uint8] = np.asarray(image.crop((x - 1, y - 1, x + 2, y + 2)))
    return tuple(int(value) for value in np.round(pixels.reshape(-1, 4).mean(axis=0)))


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(float) / 257).round().astype(np.uint8))
    return image.convert("RGBA").convert("RGB")


Stated = tuple["int | tuple[tuple[float, float], ...]", "int | float"]


def _stated(data: bytes, kind: str, *, profiled: bool) -> Stated | None:
    """Primaries and transfer function, as `reference.seen` takes them."""
    if kind == "AVIF" and not profiled and b"nclx" in data:
        primaries, transfer = struct.unpack(">HH", data[data.index(b"nclx") + 4 :][:4])
        return (primaries, transfer) if 2 not in (primaries, transfer) else None
    if kind != "PNG":
        return None
    chunks = _chunks(data)
    if chunks.get(b"cICP", b"\0")[0] in reference.CHROMATICITIES:
        return chunks[b"cICP"][0], chunks[b"cICP"][1]
    said = {kind for kind in (b"gAMA", b"cHRM") if any(chunks.get(kind, b""))}  # not one that is 0 throughout
    if b"iCCP" in chunks or b"sRGB" in chunks or not said:
        return None
    gamma = 100000 / struct.unpack(">I", chunks[b"gAMA"])[0] if b"gAMA" in said else 13
    gamma = 13 if gamma != 13 and abs(2.2 / gamma - 1) < 0.01 else gamma
    if b"cHRM" not in said:
        return 1, gamma
    white, *others = np.array(struct.unpack(">8I", chunks[b"cHRM"])).reshape(4, 2) / 100000
    return tuple((float(x), float(y)) for x, y in (*others, white)), gamma


def _chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    offset = 8
    while offset < len(data):
        length, kind = struct.unpack(">I4s", data[offset : offset + 8])
        found.setdefault(kind, data[offset + 8 : offset + 8 + length])
        offset += 12 + length
    return found


def _by_numbers(
    image: Image.Image, primaries: int | tuple[tuple[float, float], ...], transfer: int | float
) -> Image.Image:
    """Every colour once: the pictures have few."""
    pixels = np.asarray(image.convert("RGB"))
    colours, index = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    made = np.array([reference.seen(colour / 255, primaries, transfer) for colour in colours], np.uint8)
    return Image.fromarray(made[index.reshape(-1)].reshape(pixels.shape))
