"""Choose the library for each step, by `engine.library`."""

from __future__ import annotations

from pathlib import Path

from PIL import features

from gateway.rules import FORMATS as WRITTEN
from service.engine import magick_only, palette
from service.engine.colorimetry import Curve, Statement, by_numbers
from service.engine.format_row import Library
from service.engine.formats import FORMATS
from service.engine.headers import colr, isobmff
from service.engine.headers.source import OpenedFile
from service.engine.job import Header, Job
from service.engine.jxl import libjxl
from service.engine.magick import coders
from service.engine.magick.shortcomings import lacks
from service.engine.magick.writing import Settings
from service.engine.picture import Frame, Picture

AUTO: dict[str, Library] = {
    **{f"read {word}": row.reader for word, row in FORMATS.items()},
    "rescale": "libjpeg-turbo",
    "orient": "Pillow",
    "trim": "ImageMagick",
    "resample": "fast_image_resize",
    "carve": "ImageMagick",
    "to_srgb": "Pillow",
    "pad": "Pillow",
    "rotate": "Pillow",
    "flip": "Pillow",
    "tone": "Pillow",
    "duotone": "Pillow",
    "blur": "ImageMagick",
    "sharpen": "ImageMagick",
    "pixelate": "Pillow",
    "mask": "Pillow",
    "flatten": "Pillow",
    "bitonal": "Pillow",
    "reduce_colours": "ImageMagick",
    "smooth": "Pillow",
    "over": "Pillow",
    **{f"write {word}": FORMATS[word].writer for word in WRITTEN},
}
"""By step; docs/engine.md has the reasons, with figures. `rescale` makes JPEG and WebP smaller in luma and chroma.
Until `to_srgb` a frame of more than 8 bits a sample is ImageMagick's, since Pillow would drop half of them."""


def by_magick(step: str, job: Job) -> bool:
    """Whether ImageMagick does this step of the pipeline."""
    return job.library == "imagemagick" or AUTO[step] == "ImageMagick"


def holds(frame: Frame, job: Job) -> bool:
    """Whether a frame stays with ImageMagick before its colours are those of the result."""
    return job.library == "imagemagick" or frame.deep


def reads(job: Job) -> bool:
    """Whether ImageMagick decodes the original."""
    header, path = job.header, Path(job.source)
    if not coders.reads(header.format):
        return False
    if job.library == "imagemagick":
        return not _beyond_reading(path, header)
    if AUTO[f"read {header.format}"] == "ImageMagick" or not pillow_has(header.format):
        return True
    return (job.tolerant and FORMATS[header.format].magick_shows_more) or magick_only.found(job) is not None


def writes(picture: Picture, settings: Settings, job: Job) -> bool:
    """Whether ImageMagick encodes the result."""
    if job.format == "png" and len(picture.frames) > 1:  # ImageMagick's coder writes only the first
        return False
    if job.library == "imagemagick":
        return coders.writes(job.format) and not _beyond_writing(picture, settings, job.format)
    if job.format == "png" and palette.suits(picture.frames[0].pillow()):
        return True  # the one that stores few colours with a palette
    return AUTO[f"write {job.format}"] == "ImageMagick" or not pillow_has(job.format)


def pillow_has(word: str) -> bool:
    """Whether this machine's Pillow was built with what a format takes, and whether libjxl is there for JPEG XL."""
    if FORMATS[word].reader == "libjxl":
        return libjxl.is_there()
    feature = FORMATS[word].pillow_feature
    return not feature or bool(features.check(feature))


def _beyond_reading(path: Path, header: Header) -> bool:
    if FORMATS[header.format].reader == "libjxl":  # whose coder turns an image by itself, and gives no delays
        return header.frames > 1 or header.orientation != 1
    if header.format == "webp":
        return header.frames > 1 and lacks("read webp animation")
    if FORMATS[header.format].parser is not isobmff:
        return False
    with OpenedFile(path) as source:
        said = colr.colour(source)
    statement = by_numbers(said.coded.primaries, said.coded.transfer) if said.coded else Statement()
    if header.frames > 1:
        return lacks("read avif animation")
    if header.format == "heic":
        beyond = header.alpha or said.profile or statement != Statement() or said.depth != 8 or not said.as_jpeg
        return beyond and lacks("read heic colour")
    odd = not said.as_jpeg or (statement is not None and not isinstance(statement.transfer, Curve))
    return (
        (path.is_relative_to("/dev/fd") and lacks("read avif mended"))
        or (header.alpha and lacks("read avif alpha"))
        or (said.profile and lacks("read avif profile"))
        or (odd and lacks("read avif numbers"))
    )


def _beyond_writing(picture: Picture, settings: Settings, word: str) -> bool:
    if word == "webp":
        return len(picture.frames) > 1 and lacks("write webp animation")
    if FORMATS[word].writer == "libjxl":
        return len(picture.frames) > 1 or settings.lossless or settings.exif is not None
    if word != "avif":
        return False
    asked = {
        "write avif animation": len(picture.frames) > 1,
        "write avif alpha": any(frame.alpha for frame in picture.frames),
        "write avif profile": settings.icc is not None,
        "write avif notice": settings.exif is not None,
        "write avif lossless": settings.lossless,
    }
    return any(wanted and lacks(key) for key, wanted in asked.items())
