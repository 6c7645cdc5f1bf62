"""Decode files by ImageMagick. The coder is named, and the file is passed by its descriptor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image as Pillow
from wand.api import library
from wand.exceptions import (
    BaseError,
    BaseFatalError,
    CacheError,
    CacheFatalError,
    ResourceLimitError,
    ResourceLimitFatalError,
    WandException,
)
from wand.image import COLORSPACE_TYPES, Image

from service.engine.formats import FORMATS, functions
from service.engine.headers import png, png_texts
from service.engine.headers.source import OpenedFile
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.jpeg import decode
from service.engine.picture import Details, Frame
from service.engine.tiff import chain

WANT_OF_MEMORY = (ResourceLimitError, ResourceLimitFatalError, CacheError, CacheFatalError)
"""The exceptions that Wand raises where ImageMagick's limits, or those of the process, do not suffice."""

HARMLESS = "length and filesize do not match"
"""Errors of ImageMagick that are none: bytes after a BMP, and a BMP with a wrong length in its header. A file that ends
too soon is found by its header before."""

Read = tuple[list[Frame], Details]

_UNASKED = {"tif": {"tiff:exif-properties": "false", "tiff:gps-properties": "false"}}
"""Options by format, of what is not needed of a file. ImageMagick 7 prints the EXIF and GPS directories of a TIFF into
a temporary file, which the sandbox does not let it make, and refuses the image then."""

_SHORT = 0.999
"""Part of a scaled decode that its hint names: libjpeg takes the next larger n/8, and rounding never passes it."""


def read(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> Read:
    """The wanted frames, a JPEG at n/8. Raises Undecodable, and TooLarge where memory does not suffice."""
    return _READERS[header.format](path, header, wanted, n, tolerant)


def single(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> Read:
    """One frame or page."""
    wanted = chain.pages(path, header, wanted)
    subrange = f"[{wanted.start}]" if FORMATS[header.format].is_paged else ""
    image = _read(path, header, subrange, n, tolerant)
    if header.format == "png":
        _untag(image, path)
    if image.colorspace == "ycbcr":  # how ImageMagick 6 leaves HEIC
        image.transform_colorspace("srgb")
        _make_opaque(image)
    profiles = image.profiles
    return [Frame(image)], Details(profiles["icc"], profiles["exif"], profiles["iptc"], image.colorspace, image.depth)


def _make_opaque(image: Image) -> None:
    """Write the opacity of an image without alpha, which the coder of HEIC leaves as it was in memory. ImageMagick's
    `trim` would see a transparent corner there, now and then."""
    if not image.alpha_channel:
        image.alpha_channel = "opaque"
        image.alpha_channel = "off"


def _untag(image: Image, path: Path) -> None:
    """Take the colours of a PNG as they are stored. ImageMagick derives a colour space from a gamma, which Wand may not
    know; `service.engine.stated` applies the colour that the file states."""
    with OpenedFile(path) as source:
        gray = png.geometry(source)[2] in png.GRAY
    library.MagickSetImageColorspace(image.wand, COLORSPACE_TYPES.index("gray" if gray else "srgb"))


def icon(path: Path, header: Header, _wanted: range, _n: int, tolerant: bool) -> Read:
    """The largest of an icon's images."""
    image = _read(path, header, "", 8, tolerant)
    return [Frame(max(_parts(image), key=lambda part: part.width * part.height))], Details()


def gif(path: Path, header: Header, wanted: range, _n: int, tolerant: bool) -> Read:
    """Frames with disposal and offsets worked in, which takes all frames before the first one that is wanted."""
    image = _read(path, header, f"[0-{wanted.stop - 1}]" if wanted.stop > 1 else "[0]", 8, tolerant)
    plays = image.loop
    image.coalesce()
    parts = _parts(image)[wanted.start :]
    frames = [Frame(part, round(part.delay * 1000 / (part.ticks_per_second or 100))) for part in parts]
    return frames, Details(plays=plays)


def _read(path: Path, header: Header, subrange: str, n: int, tolerant: bool) -> Image:
    """The file through the coder of its format: `subrange` of its frames, a JPEG at n/8."""
    if header.format == "jpg" and not tolerant:  # ImageMagick keeps libjpeg's warnings to itself
        _examine(path, header)
    if header.format == "png":  # ImageMagick keeps texts of any length
        _measure_texts(path)
    image = Image()
    image.options.update(_UNASKED.get(header.format, {}))
    if n < 8:  # a hint of another aspect ratio than the original's would scale by the larger of two factors
        hint = (side * n / 8 * _SHORT for side in (header.width, header.height))
        image.options["jpeg:size"] = "{:.3f}x{:.3f}".format(*hint)
    problem: BaseException | None
    try:
        _open(image, path, FORMATS[header.format].coder, subrange)
        problem = image.get_exception()  # a coder may return part of an image after an error
    except WandException as error:
        problem = error
    if isinstance(problem, WANT_OF_MEMORY):
        raise TooLarge("the image takes more memory than an engine process may use") from problem
    wrong = isinstance(problem, BaseError | BaseFatalError) and not str(problem).startswith(HARMLESS)
    if not len(image.sequence) or (wrong and not tolerant):
        raise Undecodable("the image is damaged") from problem
    return image


def _open(image: Image, path: Path, coder: str, subrange: str) -> None:
    """Raises WandException."""
    if path.is_relative_to("/dev/fd"):  # a file without a name (`service.engine.flaws`), which ImageMagick refuses
        data = path.read_bytes()
        library.MagickSetFilename(image.wand, f"{coder}:image{subrange}".encode())
        if not library.MagickReadImageBlob(image.wand, data, len(data)):
            image.raise_exception()
        return
    with path.open("rb") as file:
        # By descriptor, for ImageMagick takes brackets, percent signs and colons in a name for instructions.
        image.read(filename=f"{coder}:/dev/fd/{file.fileno()}{subrange}")


def _examine(path: Path, header: Header) -> None:
    """Raise Undecodable for a damaged JPEG; what libjpeg-turbo refuses without a reason, Pillow judges."""
    if decode.examine(path, (header.width, header.height)):
        return
    try:
        with Pillow.open(path, formats=("JPEG",)) as file:
            file.draft(None, (max(1, header.width // 8), max(1, header.height // 8)))
            file.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise Undecodable("the image is damaged") from error


def _measure_texts(path: Path) -> None:
    """Raise Undecodable for a PNG whose texts are longer than Pillow takes, too."""
    with OpenedFile(path) as source:
        try:
            endless = png_texts.endless(source)
        except Undecodable:  # what is cut or damaged, the decoder judges
            return
    if endless:
        raise Undecodable("the image is damaged: it has a text that is too long")


def _parts(image: Image) -> list[Image]:
    """The images of a sequence, one by one; they share their pixels with it until one is changed."""
    parts = []
    for index in range(len(image.sequence)):
        image.iterator_set(index)
        parts.append(image.image_get())
    return parts


_READERS: dict[str, Callable[[Path, Header, range, int, bool], Read]] = functions(lambda row: row.magick_reader)
"""By format word."""
