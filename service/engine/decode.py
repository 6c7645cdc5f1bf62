"""Decode an original: only the frames that the recipe needs, and a JPEG at the smallest scale that suffices."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow

from gateway.rules import ANIMATED
from service.engine import geometry, readers
from service.engine.formats import FORMATS
from service.engine.geometry import COARSE, FINE, LARGE, MIDDLE, OVERSAMPLING, Box, Oversampling
from service.engine.job import Job, NotAnImage, TooLarge, Undecodable, Unsatisfiable
from service.engine.jpeg.drawn import is_drawn
from service.engine.libraries import holds
from service.engine.picture import Details, Frame, Picture
from service.engine.recent import recalled
from service.engine.recognise import missing_part
from service.engine.vips import deep_tiff


def decode(job: Job) -> Picture:
    """The frames of an original that `check` has accepted, as stored, not yet upright; whole frames of equal size.

    Raises TooLarge, Undecodable, and Unsatisfiable when the frame that is asked for does not exist.
    """
    header, n = job.header, scaling(job)
    frames, details = _decoded(job, n)
    if n < 8 and _may_lose(job) and not holds(frames[0], job) and is_drawn(frames[0].pillow(), n):
        n = 8
        frames, details = _decoded(job, n)
    size = (header.width, header.height)
    scale = n / 8 if frames[0].size == geometry.decoded(size, n) else frames[0].size[0] / size[0]
    if len(frames) == 1:
        frames[0].delay = 0
    whole = Box(0, 0, size[0] * scale, size[1] * scale) if n < 8 else Box(0, 0, *frames[0].size)
    return Picture(frames, whole, scale, details)


def _decoded(job: Job, n: int) -> tuple[list[Frame], Details]:
    path, how = Path(job.source), (job.header, shown(job), n, job.tolerant)
    way = (job.library, deep_tiff.suits(job), *how)
    return recalled(path, way, lambda: readers.reader(job)(path, *how), tile="crop" in job.recipe)


def check(job: Job) -> None:
    """Check an original without decoding it: the limits by its header, and that the file holds the whole image.

    Raises NotAnImage, TooLarge, Undecodable. A tolerant job accepts a file that ends too soon.
    """
    Pillow.MAX_IMAGE_PIXELS = job.limits.pixels  # Pillow raises at twice that: a header may lie
    header, limits = job.header, job.limits
    if header.format not in FORMATS:
        raise NotAnImage(f"{header.format} is not a format that is read here")
    if header.frames > limits.frames:
        raise TooLarge(f"the image has {header.frames} frames, more than {limits.frames}")
    if header.width * header.height * header.frames > limits.pixels:
        raise TooLarge(f"the image has {header.width}x{header.height} pixels in {header.frames} frames")
    reason = None if job.tolerant else missing_part(Path(job.source))
    if reason:
        raise Undecodable(f"the image is damaged: {reason}")


def scaling(job: Job) -> int:
    """The n of the n/8 at which a JPEG is decoded; 8 for all other formats.

    It depends on the original and the derived name alone, so a result never depends on what was decoded before.
    """
    header, recipe = job.header, job.recipe
    if header.format != "jpg" or "trim" in recipe or not ("w" in recipe or "h" in recipe):
        return 8
    size = geometry.upright((header.width, header.height), header.orientation)
    box = geometry.crop_box(recipe["crop"], size) if "crop" in recipe else Box(0, 0, *size)
    size = geometry.resampled(box.width, box.height, recipe)
    return geometry.eighths((box.width, box.height), size, _oversampling(job))


def _may_lose(job: Job) -> bool:
    """Whether a scaled decode of what was drawn shows. What is told of an original is made of means over far more
    pixels."""
    return job.task == "derive" and not is_large(job)


def is_large(job: Job) -> bool:
    """Whether to decode the whole original takes too much for what a scaled decode would lose."""
    return job.header.width * job.header.height >= LARGE


def _oversampling(job: Job) -> Oversampling:
    if job.format == "avif":
        return FINE
    if is_large(job):
        return COARSE
    return MIDDLE if job.format == "webp" else OVERSAMPLING


def shown(job: Job) -> range:
    """The indices of the frames that the result shows. Raises Unsatisfiable for one that does not exist."""
    count = max(1, job.header.frames)
    if "frame" not in job.recipe and job.format in ANIMATED and job.header.format in ANIMATED:
        return range(count)
    index = int(job.recipe.get("frame", 0))
    if index >= count:
        raise Unsatisfiable(f"there is no frame {index}: the image has {count}, counted from 0")
    return range(index, index + 1)
