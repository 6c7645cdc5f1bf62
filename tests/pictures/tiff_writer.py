"""TIFF files, written by this module alone (TIFF 6.0 and its technical notes; BigTIFF as libtiff has it)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
OFFSETS, SAMPLES, ROWS, COUNTS = 273, 277, 278, 279
PLANAR, PREDICTOR, COLOURS, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 284, 317, 320, 322, 323, 324, 325
SUBFILE, EXTRA, FORMAT, JPEG_TABLES, OLD_JPEG, OLD_JPEG_SIZE, SUBSAMPLING, POSITIONING, REFERENCE = (
    *(254, 338, 339, 347, 513, 514, 530, 531, 532),
)
NONE, JPEG_OLD, JPEG, DEFLATE, PACKBITS = 1, 6, 7, 8, 32773
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
FLOAT = 3
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2

SHORT, LONG, RATIONAL, LONG8 = 3, 4, 5, 16
_RATIONALS = {REFERENCE}

Samples = NDArray[np.generic]


@dataclass(frozen=True)
class Page:
    """One directory: `samples` is height x width x samples, of values as stored, and `tags` what else is written."""

    samples: Samples
    bits: int = 8
    photometric: int = RGB
    compression: int = NONE
    planar: bool = False
    tile: int = 0
    rows: int = 7
    predictor: bool = False
    subsampling: tuple[int, int] | None = None
    tags: Mapping[int, Sequence[int]] = field(default_factory=dict)


def tiff(*pages: Page, order: str = "<", big: bool = False) -> bytes:
    """The pages as a file, in either byte order, as TIFF or BigTIFF."""
    out = bytearray()
    mark = b"II" if order == "<" else b"MM"
    out += mark + (struct.pack(order + "HHHQ", 43, 8, 0, 0) if big else struct.pack(order + "HI", 42, 0))
    link = 8 if big else 4
    for page in pages:
        tags = dict(_tags(page))
        chunks = _chunks(page, order)
        offsets = []
        for chunk in chunks:
            out += b"\0" * (len(out) % 2)
            offsets.append(len(out))
            out += chunk
        if page.compression == JPEG_OLD:
            tags[OLD_JPEG], tags[OLD_JPEG_SIZE] = [offsets[0]], [len(chunks[0])]
        places = (TILE_OFFSETS, TILE_COUNTS) if page.tile else (OFFSETS, COUNTS)
        tags[places[0]], tags[places[1]] = offsets, [len(chunk) for chunk in chunks]
        link = _directory(out, tags, order, big, link)
    return bytes(out)


def _tags(page: Page) -> Iterator[tuple[int, Sequence[int]]]:
    height, width, samples = page.samples.shape
    yield WIDTH, [width]
    yield HEIGHT, [height]
    yield BITS, [page.bits] * samples
    yield COMPRESSION, [page.compression]
    yield PHOTOMETRIC, [page.photometric]
    yield SAMPLES, [samples]
    yield PLANAR, [2 if page.planar else 1]
    if page.tile:
        yield TILE_WIDTH, [page.tile]
        yield TILE_HEIGHT, [page.tile]
    else:
        yield ROWS, [_rows(page)]
    if page.predictor:
        yield PREDICTOR, [2]
    if page.subsampling:
        yield SUBSAMPLING, page.subsampling
    yield from page.tags.items()


def _rows(page: Page) -> int:
    if page.compression == JPEG_OLD:
        return int(page.samples.shape[0])
    step = 16 if page.compression == JPEG else (page.subsampling or (1, 1))[1]
    return int(-(-page.rows // step) * step)


def _chunks(page: Page, order: str) -> list[bytes]:
    """The strips or tiles in their order, plane after plane where samples are planar."""
    planes = np.split(page.samples, page.samples.shape[2], 2) if page.planar else [page.samples]
    return [_packed(part, page, order) for plane in planes for part in _parts(plane, page)]


def _parts(plane: Samples, page: Page) -> Iterator[Samples]:
    height, width, _ = plane.shape
    if not page.tile:
        yield from (plane[top : top + _rows(page)] for top in range(0, height, _rows(page)))
        return
    for top in range(0, height, page.tile):
        for left in range(0, width, page.tile):
            part = plane[top : top + page.tile, left : left + page.tile]
            padding = (0, page.tile - part.shape[0]), (0, page.tile - part.shape[1]), (0, 0)
            yield np.pad(part, padding, mode="edge")


def _packed(part: Samples, page: Page, order: str) -> bytes:
    if page.compression in (JPEG, JPEG_OLD):
        return _jpeg(part, page)
    if page.predictor:
        part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
    if page.subsampling:
        data = _data_units(part, page.subsampling)
    elif part.dtype.itemsize > 1:
        data = part.astype(
            part.dtype.newbyteorder(order)  # type: ignore[arg-type]
        ).tobytes()
    elif page.bits < 8:
        bits = np.unpackbits(part.astype(np.uint8)[..., None], axis=-1)[..., 8 - page.bits :]
        data = np.packbits(bits.reshape(part.shape[0], -1), axis=1).tobytes()
    else:
        data = part.astype(np.uint8).tobytes()
    if page.compression == DEFLATE:
        return zlib.compress(data)
    if page.compression == PACKBITS:  # every run a literal one
        rows = [data[i : i + len(data) // part.shape[0]] for i in range(0, len(data), len(data) // part.shape[0])]
        return b"".join(
            bytes([len(piece) - 1]) + piece
            for row in rows
            for piece in (row[i : i + 128] for i in range(0, len(row), 128))
        )
    return data


def _data_units(part: Samples, subsampling: tuple[int, int]) -> bytes:
    """Luma of a block of pixels, then its Cb and its Cr (section 21, ordering of data)."""
    across, down = subsampling
    height, width = -(-part.shape[0] // down) * down, -(-part.shape[1] // across) * across
    part = np.pad(part, ((0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0)), mode="edge")
    units = bytearray()
    for top in range(0, height, down):
        for left in range(0, width, across):
            block = part[top : top + down, left : left + across].astype(np.uint8)
            units += block[..., 0].tobytes() + block[0, 0, 1:].tobytes()
    return bytes(units)


def _jpeg(part: Samples, page: Page) -> bytes:
    """A JPEG stream with its own tables, of these samples as they are, without a conversion of colours."""
    modes = {1: "L", 3: "RGB", 4: "CMYK"}
    pixels = part.astype(np.uint8)
    if page.photometric == YCBCR:
        image = Image.frombytes("YCbCr", (part.shape[1], part.shape[0]), pixels.tobytes())
    else:
        image = Image.fromarray(pixels[..., 0] if part.shape[2] == 1 else pixels, modes[part.shape[2]])
        if part.shape[2] == 4:  # Pillow inverts CMYK as Adobe does
            image = Image.fromarray(255 - pixels, "CMYK")
    buffer = io.BytesIO()
    keep = {} if page.photometric == YCBCR else {"keep_rgb": True}
    chroma = {(1, 1): 0, (2, 1): 1, (2, 2): 2}[page.subsampling or (1, 1)]
    image.save(buffer, "JPEG", quality=100, subsampling=chroma, **keep)
    return _without_application_segments(buffer.getvalue()) if page.compression == JPEG else buffer.getvalue()


def _without_application_segments(data: bytes) -> bytes:
    """TIFF's technical note 2: the photometric interpretation says what the components are, not a JPEG's markers."""
    kept, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if not 0xE0 <= data[at + 1] <= 0xEF:
            kept += data[at:end]
        at = end
    return bytes(kept + data[at:])


def _directory(out: bytearray, tags: Mapping[int, Sequence[int]], order: str, big: bool, link: int) -> int:
    """Append a directory and point to it from `link`. Return where the next link stands."""
    word, letter = (8, "Q") if big else (4, "I")
    entries = []
    for tag, values in sorted(tags.items()):
        kind = RATIONAL if tag in _RATIONALS else SHORT if max(values) < 65536 and tag not in (273, 324) else LONG
        parts = [part for value in values for part in (value, 1)] if kind == RATIONAL else list(values)
        content = struct.pack(f"{order}{len(parts)}{'H' if kind == SHORT else 'I'}", *parts)
        if len(content) > word:
            out += b"\0" * (len(out) % 2)
            out += content
            content = struct.pack(order + letter, len(out) - len(content))
        entries.append(struct.pack(order + "HH" + letter, tag, kind, len(values)) + content.ljust(word, b"\0"))
    out += b"\0" * (len(out) % 2)
    out[link : link + word] = struct.pack(order + letter, len(out))
    out += struct.pack(order + ("Q" if big else "H"), len(entries)) + b"".join(entries)
    out += bytes(word)
    return len(out) - word
