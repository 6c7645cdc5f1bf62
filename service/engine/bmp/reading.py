"""Decode the kinds of BMP that Pillow and ImageMagick read wrong or not at all: few bits, masks, run lengths, OS/2."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image as Pillow

from service.engine.bmp import runs
from service.engine.headers import bmp
from service.engine.headers.bmp import Layout
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, Undecodable
from service.engine.picture import Details, Frame

_INDICES = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}  # by bits, how Pillow calls them
COLOURS = 46  # where a Windows header says how many there are
_WINDOW = 16  # bits that hold a channel, from a whole byte on
_ENOUGH = 8  # bits of a channel that count where it does not fit


def needs(source: Source, _: int) -> bool:
    """Return True for all kinds except two with a Windows header: 24 bits uncompressed, and 8 bits with a palette of
    256 colours; a header may say more of them than 8 bits can count."""
    size, found = source.number(14, 4, little=True), bmp.layout(source)
    if size < bmp.WINDOWS or size in bmp.OS2:
        return True
    is_full = found.bits == 8 and found.colours == 256 and source.number(COLOURS, 4, little=True) in (0, 256)
    return found.compression != 0 or not (found.bits == 24 or is_full)


def read(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """Decode the image. Raises Undecodable where pixels are missing; in a tolerant job these are black."""
    del wanted, n
    with OpenedFile(path) as source:
        found = bmp.layout(source)
        palette = source.read(found.palette, found.colours * found.entry) if found.bits <= 8 else b""
        if found.compression in bmp.RUN_LENGTH:
            data = _unpacked(source, found, tolerant)
        else:
            stored = source.part(found.pixels, found.stride * found.height)
            data = stored.head(stored.size).ljust(found.stride * found.height, b"\0")
    image = _coloured(data, found, palette) if found.bits <= 8 else _masked(data, found, alpha=header.alpha)
    return [Frame(image)], Details(space="gray" if image.mode == "L" else "srgb", depth=1 if found.bits == 1 else 8)


def _unpacked(source: Source, found: Layout, tolerant: bool) -> bytes:
    packed = source.part(found.pixels, source.size)
    data, is_whole = runs.unpacked(packed.head(packed.size), found.width, found.height, found.bits)
    if not (is_whole or tolerant):
        raise Undecodable("the image is damaged: the BMP ends before its pixels do")
    return data


def _decoded(mode: str, data: bytes, found: Layout, raw: str, stride: int) -> Pillow.Image:
    size = found.width, found.height
    return Pillow.frombuffer(mode, size, data, "raw", raw, stride, 1 if found.top_down else -1)


def _coloured(data: bytes, found: Layout, palette: bytes) -> Pillow.Image:
    """An index without a colour is black."""
    is_unpacked = found.compression in bmp.RUN_LENGTH
    raw, stride = ("P", found.width) if is_unpacked else (_INDICES[found.bits], found.stride)
    image = _decoded("P", data, found, raw, stride).copy()
    colours = [palette[i : i + 3][::-1] for i in range(0, len(palette), found.entry)]
    image.putpalette(b"".join(colours))
    return image.convert("L" if all(len(set(colour)) == 1 for colour in colours) else "RGB")


def _masked(data: bytes, found: Layout, *, alpha: bool) -> Pillow.Image:
    if found.bits == 24:
        return _decoded("RGB", data, found, "BGR", found.stride)
    channels = [_channel(data, found, mask) for mask in found.masks[: 4 if alpha else 3]]
    return Pillow.merge("RGBA" if alpha else "RGB", channels)


def _channel(data: bytes, found: Layout, mask: int) -> Pillow.Image:
    """One channel, its largest value brought to 255."""
    low, high = (mask & -mask).bit_length() - 1, mask.bit_length()
    if not mask:
        return Pillow.new("L", (found.width, found.height))
    if high - low // 8 * 8 > _WINDOW:
        low = high - _ENOUGH
    byte = min(low // 8, found.bits // 8 - 2)
    most = (1 << high - low) - 1
    if found.bits == 16:
        pixels = _decoded("I;16", data, found, "I;16", found.stride)
    else:
        parts = _decoded("RGBA", data, found, "RGBA", found.stride)
        if (low % 8, most) == (0, 255):
            return parts.getchannel(low // 8)
        pair = Pillow.merge("LA", [parts.getchannel(byte), parts.getchannel(byte + 1)])
        pixels = Pillow.frombytes("I;16", pair.size, pair.tobytes())
    return pixels.convert("I").point(_table(low - 8 * byte, most), "L")


@lru_cache(maxsize=16)
def _table(low: int, most: int) -> list[int]:
    """A table from the bits of a window to a channel as 0 to 255. The channel begins at bit `low`; `most` is its
    largest value."""
    return [((value >> low & most) * 255 + most // 2) // most for value in range(1 << _WINDOW)]
