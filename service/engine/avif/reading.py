"""AVIF of 10 and 12 bits a sample, whose transfer function and gradients need all of them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow

from service.engine import narrowing, turning
from service.engine.avif import libavif
from service.engine.colorimetry import by_numbers
from service.engine.headers import colr, movie
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.memory import has_room
from service.engine.picture import Details, Frame
from service.engine.pillow_private import wrapped


def needs(source: Source, _frame: int) -> bool:
    """Return True for a still picture of more than 8 bits a sample, where libavif is there."""
    deep = libavif.library is not None and (colr.colour(source).depth or 8) > 8
    return deep and movie.movie(source) is None


def read(path: Path, header: Header, _wanted: range, _n: int, _tolerant: bool) -> tuple[list[Frame], Details]:
    """The primary picture, cut and upright. Raises Undecodable, and TooLarge where memory does not suffice."""
    with OpenedFile(path) as source:
        said = colr.colour(source)
    try:
        samples = libavif.decoded(path.read_bytes(), Pillow.MAX_IMAGE_PIXELS or 0)
    except MemoryError as error:
        raise TooLarge("the image takes more memory than an engine process may use") from error
    except ValueError as error:
        if not has_room(8 * header.width * header.height):
            raise TooLarge("the image takes more memory than an engine process may use") from error
        raise Undecodable("the image is damaged") from error
    details = Details(samples.icc, samples.exif, depth=samples.depth)
    details.space = "gray" if samples.mode[0] == "L" else "srgb"
    counts = said.coded and not samples.icc
    statement = by_numbers(said.coded.primaries, said.coded.transfer) if counts and said.coded else None
    image = narrowing.narrowed(samples.data, samples.size, samples.mode, details, statement)
    return [Frame(wrapped(turning.upright(image, path).im))], details
