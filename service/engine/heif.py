"""HEIC through pillow-heif: libheif and libde265 of its own, newer than Debian's, and all that comes with the pixels.

They apply `clap`, `irot` and `imir`, put grids of tiles together, and leave out thumbnails, depth and gain maps. A
HEIC of several pictures counts as its primary one, a sequence without one as its first. libde265 decodes in one thread
beside the one that waits for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image as Pillow

from service.engine import heif_sequence, narrowing, stated
from service.engine.colorimetry import Statement, by_numbers
from service.engine.headers import colr
from service.engine.headers.source import OpenedFile
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.memory import has_room
from service.engine.picture import Details, Frame
from service.engine.pillow_private import wrapped

pillow_heif.options.DECODE_THREADS = 0  # no tiles at once: an engine process has one core to itself
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False

_DAMAGE = (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError, KeyError)
"""What pillow-heif raises over broken files."""

_MEMORY = ("emory", "ecurity limit")
"""Words in libheif's messages over memory that it does not get, or does not take. libde265 has no such word."""


def read(path: Path, header: Header, _wanted: range, _n: int, _tolerant: bool) -> tuple[list[Frame], Details]:
    """The primary picture. Raises Undecodable, and TooLarge where memory does not suffice."""
    with OpenedFile(path) as source:
        data = heif_sequence.still(source) if heif_sequence.is_one(source) else path.read_bytes()
    try:
        file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
        return _read(file[file.primary_index], header, path)
    except _DAMAGE as error:
        if any(word in str(error) for word in _MEMORY) or not has_room(10 * header.width * header.height):
            raise TooLarge("the image takes more memory than an engine process may use") from error
        raise Undecodable("the image is damaged") from error


def _read(picture: pillow_heif.HeifImage, header: Header, path: Path) -> tuple[list[Frame], Details]:
    if not picture.info.get("primary"):  # libheif leaves out what it cannot make sense of, and lists the others
        raise Undecodable("the image is damaged: its primary picture cannot be read")
    if picture.size[0] * picture.size[1] > 2 * header.width * header.height:
        raise TooLarge("the image has more pixels than its header said")
    info: dict[str, Any] = picture.info
    details = Details(info.get("icc_profile"), info.get("exif"), depth=info["bit_depth"])
    statement = None if details.icc else _statement(path)
    if details.depth > 8:
        kind = picture.mode.partition(";")[0]
        mode = "L" if kind == "I" else kind
        frame = Frame(_plain(narrowing.narrowed(picture.data, picture.size, mode, details, statement)))
    else:
        frame = Frame(_plain(picture.to_pillow()))
        details = stated.described(details, statement, [frame])
    details.space = "gray" if frame.gray else "srgb"
    return [frame], details


def _statement(path: Path) -> Statement | None:
    """What `nclx` says, or where there is none HEVC itself; libheif heeds matrix and range of either."""
    with OpenedFile(path) as source:
        coded = colr.colour(source).coded
    return by_numbers(coded.primaries, coded.transfer) if coded else None


def _plain(image: Pillow.Image) -> Pillow.Image:
    """The pixels alone; what colours were multiplied by (`prem`) is divided out."""
    straight = {"RGBa": "RGBA", "La": "LA"}.get(image.mode, image.mode)
    return wrapped((image if image.mode == straight else image.convert(straight)).im)
