"""A JPEG to pixels, and whether libjpeg has doubts about them, which Pillow keeps to itself.

libjpeg-turbo's own library decodes as fast as Pillow, and to the same bytes: CPU of a 2725x2225 JPEG at n/8 for 8, 4,
2, 1: 23.4, 11.3, 9.2, 7.6 ms against Pillow's 28.0, 11.2, 9.8, 7.9. It tells the first of its warnings.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine import geometry
from service.engine.blocks import block
from service.engine.geometry import Size
from service.engine.headers.jpeg import SEQUENTIAL, SOS, components, segments
from service.engine.headers.source import OpenedFile
from service.engine.job import Undecodable
from service.engine.jpeg import turbo
from service.engine.picture import SILENT
from service.engine.stripping.jpeg import KEPT

_PIXELS = {"L": 6, "RGB": 7, "CMYK": 11}
"""TJPF_GRAY, TJPF_RGBA and TJPF_CMYK by Pillow's modes: its RGB has four bytes too, of which the last is 255."""

_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
"""Pillow's, by the number of components."""

_DAMAGE = (
    "Corrupt JPEG data: bad Huffman code",
    "Corrupt JPEG data: bad arithmetic code",
    "Corrupt JPEG data: premature end of data segment",
    "Corrupt JPEG data: found marker",  # instead of a restart
    "Premature end of JPEG file",
)
"""What libjpeg warns of (jerror.h) when entropy-coded data are not what an encoder wrote: the pixels are wrong."""

_INCONSISTENT = "Inconsistent progression sequence"
_ODD = (
    "Corrupt JPEG data: ",  # bytes that belong to no segment, or a part of an ICC profile that is not there
    "Invalid SOS parameters for sequential JPEG",  # Samsung's telephones
    _INCONSISTENT,
    "Unknown Adobe color transform code",
    "Warning: unknown JFIF revision number",
)
"""What else it warns of, in files that decode as they were meant to. Said first, it hides what would come after it."""

_LEFT_OVER = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker (0x[0-9a-f]{2})")
_FEW = 16
"""Bytes left over in a scan, or before a restart, that do not tell of damage: some cameras leave 1 to 9 always."""

_WANT_OF_MEMORY = ("Insufficient memory", "tjDecompress2(): Memory allocation failure")


def decoded(path: Path, mode: str, size: Size, n: int) -> Pillow.Image | None:
    """The pixels of a JPEG at n/8 of its `size`, in the `mode` that Pillow has for it; the same that Pillow decodes.
    They are marked `SILENT` where libjpeg has no doubts.

    None where Pillow has to try instead: the library is missing, or does not take this kind. Raises Undecodable where
    the data are damaged, MemoryError.
    """
    if turbo.library is None or mode not in _PIXELS:
        return None
    image, told = _decompressed(turbo.library, path.read_bytes(), mode, geometry.decoded(size, n))
    if told.startswith(_WANT_OF_MEMORY):
        raise MemoryError
    if not told:
        image.info[SILENT] = True
    if told and not told.startswith((*_DAMAGE, *_ODD)):
        return None
    if told and not told.startswith(_DAMAGE):
        told = _told_of_scans(turbo.library, path, mode, size, told)
    if told:
        raise Undecodable(f"the image is damaged: {told.removeprefix('Corrupt JPEG data: ')}")
    return ImageChops.invert(image) if mode == "CMYK" else image  # as Adobe stores it, which Pillow presumes too


def examine(path: Path, size: Size) -> bool:
    """Raise Undecodable where the data of a JPEG of `size` are damaged, for the price of decoding it at 1/8. False
    where libjpeg-turbo cannot tell."""
    with OpenedFile(path) as source:
        mode = _MODES.get(components(source), "")
    return decoded(path, mode, size, 1) is not None


def _told_of_scans(library: ctypes.CDLL, path: Path, mode: str, size: Size, before: str) -> str:
    """What libjpeg tells of damage once there is nothing left that is odd and can be left out; empty for no damage.

    An order of scans that it finds inconsistent cannot be left out: then what it told `before` has to do.
    """
    data = _plain(path)
    _, told = _decompressed(library, data, mode, geometry.decoded(size, 1))
    told = before if told.startswith(_INCONSISTENT) else told
    left = _LEFT_OVER.match(told)
    if left is None:
        return told if told.startswith(_DAMAGE) else ""
    count, marker = int(left[1]), left[2]
    padding = marker == "0xd9" and len(set(data[-2 - count : -2])) == 1
    return "" if count <= _FEW or padding else told


def _decompressed(library: ctypes.CDLL, data: bytes, mode: str, size: Size) -> tuple[Pillow.Image, str]:
    """The pixels at `size`, which is that of the image or of n/8 of it, rounded up, and the first of libjpeg's
    warnings, or the error that ended it; empty for none. Whatever the data say, nothing is written beyond `size`."""
    image, address = block(mode, size)
    width, height = size
    with turbo.handle(library.tjInitDecompress) as handle:
        failed = library.tjDecompress2(
            *(handle, data, len(data)),
            *(address, width, width * (1 if mode == "L" else 4), height, _PIXELS[mode], 0),
        )
        return image, library.tjGetErrorStr2(handle).decode(errors="replace") if failed else ""


def _plain(path: Path) -> bytes:
    """The tables, frame and scans alone, without what lies between them, and with the parameters of a sequential scan
    as the standard has them (ITU-T T.81, table B.3)."""
    parts, sequential = [b"\xff\xd8"], False
    with OpenedFile(path) as source:
        for segment in segments(source):
            sequential |= segment.marker in SEQUENTIAL
            if segment.marker not in KEPT:
                continue
            content = source.read(segment.start - 4, segment.data_end - segment.start + 4)
            if segment.marker == SOS and sequential:
                end = segment.end - segment.start + 4
                content = content[: end - 3] + b"\0\x3f\0" + content[end:]
            parts.append(content)
    return b"".join([*parts, b"\xff\xd9"])
