"""Which library does what: the choice of `engine.library`, and what `auto` takes for each step."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow
from PIL import features

from gateway.rules import FORMATS as WRITTEN
from service.engine import magick_only
from service.engine.formats import FORMATS, Library
from service.engine.job import Header, Job
from service.engine.magick import coders
from service.engine.magick.shortcomings import lacks
from service.engine.magick.writing import Settings
from service.engine.picture import Frame, Picture

AUTO: dict[str, Library] = {
    **{f"read {word}": row.reader for word, row in FORMATS.items()},
    "rescale": "libjpeg-turbo",
    "orient": "Pillow",
    "trim": "ImageMagick",
    "resample": "Pillow",
    "carve": "ImageMagick",
    "to_srgb": "Pillow",
    "pad": "Pillow",
    "rotate": "Pillow",
    "flip": "Pillow",
    "tone": "ImageMagick",
    "blur": "ImageMagick",
    "sharpen": "ImageMagick",
    "flatten": "Pillow",
    **{f"write {word}": FORMATS[word].writer for word in WRITTEN},
}
"""By step; docs/engine.md has the reasons, with figures. `rescale` is a JPEG made smaller as the JPEG it is. Until
`to_srgb` a frame of more than 8 bits a sample is ImageMagick's, since Pillow would drop half of them."""


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
    if job.format == "png" and len(picture.frames) > 1:  # whose coder writes the first alone
        return False
    if job.library == "imagemagick":
        return coders.writes(job.format) and not _beyond_writing(picture, settings, job.format)
    return AUTO[f"write {job.format}"] == "ImageMagick" or not pillow_has(job.format)


def pillow_has(word: str) -> bool:
    """Whether this machine's Pillow was built with what a format takes."""
    feature = FORMATS[word].pillow_feature
    return not feature or bool(features.check(feature))


def _beyond_reading(path: Path, header: Header) -> bool:
    if header.format == "webp":
        return header.frames > 1 and lacks("read webp animation")
    if header.format != "avif":
        return False
    return (header.alpha and lacks("read avif alpha")) or (_profiled(path) and lacks("read avif profile"))


def _beyond_writing(picture: Picture, settings: Settings, word: str) -> bool:
    if word == "webp":
        return len(picture.frames) > 1 and lacks("write webp animation")
    if word != "avif":
        return False
    asked = {
        "write avif alpha": any(frame.alpha for frame in picture.frames),
        "write avif profile": settings.icc is not None,
        "write avif notice": settings.exif is not None,
        "write avif lossless": settings.lossless,
    }
    return any(wanted and lacks(key) for key, wanted in asked.items())


def _profiled(path: Path) -> bool:
    """Whether an AVIF has an ICC profile, or none can tell; nothing is decoded for it."""
    try:
        with Pillow.open(path, formats=("AVIF",)) as file:
            return bool(file.info.get("icc_profile"))
    except (OSError, SyntaxError, ValueError, RuntimeError):
        return False
