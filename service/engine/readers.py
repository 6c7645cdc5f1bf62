"""Files through the decoders: ImageMagick's, by the coder's name, and for AVIF and animated WebP Pillow's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageOps
from PIL.ImageFile import ImageFile
from wand.exceptions import ResourceLimitError, ResourceLimitFatalError, WandError, WandException, WandFatalError
from wand.image import Image

from service.engine.geometry import Size
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.picture import Details, Frame

CODERS = {
    "jpg": "jpeg",
    "png": "png",
    "webp": "webp",
    "avif": "avif",
    "heic": "heic",
    "gif": "gif",
    "tif": "tiff",
    "bmp": "bmp",
    "ico": "ico",
}
"""ImageMagick's coder for every format word."""

Reader = Callable[[Path, Header, range, int, bool], tuple[list[Frame], Details]]
"""Takes the file, its header, the indices of the frames wanted, the n of n/8, and whether damage is tolerated."""


def reader(header: Header) -> Reader:
    """How files of this kind are read. Every reader raises Undecodable, and TooLarge where memory does not suffice."""
    if header.format == "avif" or (header.format == "webp" and header.frames > 1):
        return _pillow
    return {"gif": _gif, "ico": _icon}.get(header.format, _single)


def _single(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """One frame or page."""
    page = f"[{wanted.start}]" if header.format == "tif" else ""
    image = magick(path, header, page, n, tolerant)
    if image.colorspace == "ycbcr":  # how ImageMagick 6 leaves HEIC
        image.transform_colorspace("srgb")
    profiles = image.profiles
    details = Details(profiles["icc"], profiles["exif"], profiles["iptc"], image.colorspace, image.depth)
    return [Frame(image)], details


def _icon(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """The largest of an icon's images."""
    image = magick(path, header, "", n, tolerant)
    return [Frame(max(_parts(image), key=lambda part: part.width * part.height))], Details()


def _gif(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """Frames with disposal and offsets worked in, which takes all frames before the first one that is wanted."""
    image = magick(path, header, f"[0-{wanted.stop - 1}]" if wanted.stop > 1 else "[0]", n, tolerant)
    plays = image.loop
    image.coalesce()
    parts = _parts(image)[wanted.start :]
    frames = [Frame(part, round(part.delay * 1000 / (part.ticks_per_second or 100))) for part in parts]
    return frames, Details(plays=plays)


def _pillow(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """AVIF, whose alpha ImageMagick 6 loses, and animated WebP, whose delays it rounds to hundredths."""
    frames = []
    try:
        with Pillow.open(path, formats=(header.format.upper(),)) as file:
            for index in wanted:
                file.seek(index)
                frames.append(Frame(_upright(file), int(file.info.get("duration", 0))))
            details = Details(icc=file.info.get("icc_profile"), exif=file.info.get("exif"))
            details.plays = int(file.info.get("loop", 0))
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise Undecodable("the image is damaged") from error
    return frames, details


def _upright(file: ImageFile) -> Pillow.Image:
    """The frame as a copy in one of the modes of `Frame`; an AVIF turned as its `irot` and `imir` say.

    Pillow hands these two on as EXIF's orientation; in a WebP that is the header's matter, and applied later.
    """
    if file.format == "AVIF":
        return ImageOps.exif_transpose(file)
    return file.copy()


def magick(path: Path, header: Header, subrange: str = "", n: int = 8, tolerant: bool = False) -> Image:
    """The file through ImageMagick's coder of its format: `subrange` of its frames, a JPEG at n/8."""
    image = Image()
    if n < 8:
        image.options["jpeg:size"] = "{}x{}".format(*_hint((header.width, header.height), n))
    problem: BaseException | None
    try:
        with path.open("rb") as file:
            # By descriptor, for ImageMagick takes brackets, percent signs and colons in a name for instructions.
            image.read(filename=f"{CODERS[header.format]}:/dev/fd/{file.fileno()}{subrange}")
        problem = image.get_exception()  # a coder may have met an error and yet given what it had
    except WandException as error:
        problem = error
    if isinstance(problem, ResourceLimitError | ResourceLimitFatalError):
        raise TooLarge("the image takes more memory than an engine process may use") from problem
    if not image.wand or (isinstance(problem, WandError | WandFatalError) and not tolerant):
        raise Undecodable("the image is damaged") from problem
    return image


def _parts(image: Image) -> list[Image]:
    """The images of a sequence, one by one; they share their pixels with it until one is changed."""
    parts = []
    for index in range(len(image.sequence)):
        image.iterator_set(index)
        parts.append(image.image_get())
    return parts


def _hint(size: Size, n: int) -> Size:
    """The `jpeg:size` at which ImageMagick asks libjpeg for n/8.

    ImageMagick divides the image's size by the hint, cuts the quotient d to a whole number and asks for the scale 1/d,
    which libjpeg rounds up to eighths (coders/jpeg.c; libjpeg.txt, "scale_num"): 1, 2, 3, 4, 8 give 8, 4, 3, 2, 1.
    """
    divisor = {1: 8, 2: 4, 3: 3, 4: 2}[n]
    return size[0] // divisor, size[1] // divisor
