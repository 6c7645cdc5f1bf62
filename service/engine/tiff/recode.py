"""The strips and tiles of a TIFF that are not JPEG, copied or coded anew without a bit that is no pixel's.

Deflate stays where it is proved to hold the samples and nothing else. Other codes may hide bytes between them: LZW and
PackBits become deflate, which is smaller, and a telefax is coded once more. Predictors stay.
"""

from __future__ import annotations

import ctypes
import io
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from PIL import Image as Pillow

from service.engine.headers import tiff
from service.engine.headers.source import Source
from service.engine.headers.tiff import Directory
from service.engine.stripping import NotCopied, Piece
from service.engine.tiff import libtiff
from service.engine.tiff.layout import (
    DEFLATE,
    FAX,
    LZW,
    NONE,
    OLD_DEFLATE,
    PACKBITS,
    PALETTE,
    Layout,
    Part,
    Place,
    cleaned,
    indices,
    is_full,
    length,
)
from service.engine.tiff.writing import size

_GROUP_4 = 4
_FAX_NAMES = {2: "tiff_ccitt", 3: "group3", _GROUP_4: "group4"}
"""Pillow's, by compression."""

_FILL_ORDER, _PREDICTOR = 266, 317
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_WORDS = {16: "H", 32: "I", 64: "Q"}

Coded = tuple[int, list[Piece], set[int]]
"""The compression, the parts in their order, and the values of samples that are there, for a palette."""

Decode = Callable[[Part], bytes]


def coded(page: Directory, found: Layout, parts: list[Part]) -> Coded:
    """Raises NotCopied for a compression that is not known, and where data are damaged."""
    if found.compression == NONE:
        return (NONE, *_each(page, found, parts, lambda part: _plain(page, found, part)))
    if found.compression in (DEFLATE, OLD_DEFLATE):
        return (DEFLATE, *_each(page, found, parts, lambda part: _deflated(page, found, part)))
    if found.compression not in (LZW, PACKBITS, *FAX):
        raise NotCopied("the TIFF has a compression that is not known")
    with _decoder(page, found) as decode:
        if found.compression in FAX:
            return _smallest_fax(page, found, parts, decode)
        return (DEFLATE, *_each(page, found, parts, lambda part: _compressed(decode(part))))


_Made = tuple[Piece, bytes | None]
"""A part to write, and its samples; None where they need not be known."""


def _each(
    page: Directory, found: Layout, parts: list[Part], make: Callable[[Part], _Made]
) -> tuple[list[Piece], set[int]]:
    """What `make` makes of each part; of several at one place once."""
    known: dict[Place, Piece] = {}
    used = set[int]()
    contents = []
    for part in parts:
        if part.place not in known:
            known[part.place], samples = make(part)
            if found.photometric == PALETTE and samples is not None:
                used |= indices(samples, found.bits)
        contents.append(known[part.place])
    return contents, used


def _read(page: Directory, part: Part, count: int) -> bytes:
    """The first bytes of a part, the highest bit first."""
    data = page.source.read(part.offset, count)
    return data.translate(_REVERSED) if page.number(_FILL_ORDER) == 2 else data


def _plain(page: Directory, found: Layout, part: Part) -> _Made:
    needed = length(found, part)
    if part.count < needed:
        raise NotCopied("a strip is too short")
    if is_full(found, part) and found.photometric != PALETTE and page.number(_FILL_ORDER) != 2:
        return _within(page.source, part, needed), None
    data = cleaned(_read(page, part, needed), found, part)
    return data, data


def _deflated(page: Directory, found: Layout, part: Part) -> _Made:
    needed, packed = length(found, part), _read(page, part, part.count)
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, needed)
        more = stream.decompress(stream.unconsumed_tail, 1) if not stream.eof else b""
    except zlib.error as error:
        raise NotCopied("the compressed data of a strip are broken") from error
    if len(data) < needed:
        raise NotCopied("a strip is too short")
    clean = cleaned(data, found, part)
    if stream.eof and not more and clean == data and page.number(_FILL_ORDER) != 2:
        return _within(page.source, part, part.count - len(stream.unused_data)), clean
    return zlib.compress(clean, 9), clean


def _within(source: Source, part: Part, count: int) -> Source:
    if part.offset + count > source.size:
        raise NotCopied("a strip is beyond the end of the file")
    return source.part(part.offset, count)


def _compressed(data: bytes) -> _Made:
    return zlib.compress(data), data


def _smallest_fax(page: Directory, found: Layout, parts: list[Part], decode: Decode) -> Coded:
    """Coded as the original is, in two dimensions (ITU-T T.6), or as deflate, which suits dithered grays."""
    samples: dict[Place, bytes] = {}
    for part in parts:
        if part.place not in samples:
            samples[part.place] = decode(part)
    made: list[Coded] = [(DEFLATE, *_each(page, found, parts, lambda part: _compressed(samples[part.place])))]
    for compression in {found.compression, _GROUP_4}:
        fax = partial(_faxed, samples, _FAX_NAMES[compression])
        made.append((compression, *_each(page, found, parts, fax)))
    return min(made, key=lambda one: sum(map(size, one[1])))


def _faxed(samples: Mapping[Place, bytes], name: str, part: Part) -> _Made:
    """Coded by Pillow, as one strip."""
    buffer, data = io.BytesIO(), samples[part.place]
    image = Pillow.frombytes("1", part.size, data)
    image.save(buffer, "TIFF", compression=name, strip_size=len(data))
    with Pillow.open(buffer, formats=("TIFF",)) as made:
        offsets, counts = made.tag_v2[tiff.STRIPS[0]], made.tag_v2[tiff.STRIPS[1]]  # type: ignore[attr-defined]
    (offset,), (count,) = offsets, counts
    return buffer.getvalue()[offset : offset + count], data


@contextmanager
def _decoder(page: Directory, found: Layout) -> Iterator[Decode]:
    """Gives the samples of a part as they are before any compression, differences left as they are."""
    library = libtiff.library
    if library is None or not library.TIFFIsCODECConfigured(found.compression):
        raise NotCopied("libtiff is missing, or does not know the compression")
    if found.compression in FAX and (found.bits, found.samples) != (1, 1):
        raise NotCopied("a telefax has more than one bit")
    read = library.TIFFReadEncodedTile if found.tiled else library.TIFFReadEncodedStrip
    try:
        with libtiff.opened(page.source.descriptor, page.offset) as handle:
            if found.predictor != 1:
                library.TIFFSetField(handle, _PREDICTOR, 1)

            def decode(part: Part) -> bytes:
                needed = length(found, part)
                buffer = ctypes.create_string_buffer(needed)
                if part.count == 0 or read(handle, part.number, buffer, needed) < needed:
                    raise NotCopied("the data of a strip are damaged")
                return cleaned(_in_order(buffer.raw, found.bits, page.little), found, part)

            yield decode
    except OSError as error:
        raise NotCopied("libtiff does not read the directory") from error


def _in_order(data: bytes, bits: int, little: bool) -> bytes:
    """Samples in the byte order of the file; libtiff gives them in that of the machine."""
    if bits <= 8 or little == (sys.byteorder == "little"):
        return data
    if bits not in _WORDS:
        raise NotCopied("the TIFF has samples of an odd length")
    words = array(_WORDS[bits], data)
    words.byteswap()
    return words.tobytes()
