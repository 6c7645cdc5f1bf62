"""Run a job: read the original's file, apply the steps, and write the result to a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from gateway.holding import most_moving
from gateway.rules import ANIMATED
from service.engine import describe as description
from service.engine import exchange, geometry, lossless
from service.engine.capabilities import capabilities
from service.engine.colour import stays, to_srgb
from service.engine.decode import check, decode, shown
from service.engine.encode import encode
from service.engine.flaws.mending import attempt
from service.engine.job import Job, Result, TooLarge
from service.engine.magick.reading import WANT_OF_MEMORY
from service.engine.memory import has_room
from service.engine.picture import Picture
from service.engine.recent import forget
from service.engine.rescale import rescaled
from service.engine.steps.bitonal import bitonal
from service.engine.steps.canvas import flatten, flip, pad, rotate
from service.engine.steps.detail import blur, sharpen
from service.engine.steps.duotone import duotone
from service.engine.steps.mask import mask
from service.engine.steps.orient import orient
from service.engine.steps.over import over
from service.engine.steps.palette import reduce_colours
from service.engine.steps.pixelate import pixelate
from service.engine.steps.region import crop, trim
from service.engine.steps.resample import carve, resample
from service.engine.steps.smooth import smooth
from service.engine.steps.tone import tone

__all__ = ["capabilities", "derive", "describe", "forget", "verify"]

Step = Callable[[Picture, Job], None]

STEPS: tuple[Step, ...] = (
    orient,  # EXIF's orientation: all that follows sees the image upright
    crop,  # crop g
    trim,  # trim
    resample,  # w h fit g up: to the size of the box, with what crop, trim and cover cut
    carve,  # fit=liquid
    to_srgb,  # any profile and colour space to 8-bit sRGB, on what are few pixels now
    pad,  # fit=pad, bg
    rotate,  # rot, bg
    flip,  # flip
    tone,  # gray equalize normalize negate bri con sat gam, in this order
    duotone,  # duotone
    blur,  # blur
    sharpen,  # sharpen
    pixelate,  # pixelate
    mask,  # mask radius
    flatten,  # bg, where the format has no transparency
    bitonal,  # bitonal
    reduce_colours,  # colors
    smooth,  # what is nearly transparent, for formats with loss
    over,  # over
)


def derive(job: Job) -> Result:
    """Make the image that the job's recipe and format describe, and write it to `job.output`.

    The whole image in the original's own format keeps its encoding: only metadata goes. A JPEG as JPEG XL keeps its
    coefficients. A JPEG of which only another size is asked keeps its luma and chroma, and never becomes RGB. Raises
    TooLarge, Undecodable, NotAnImage, and Unsatisfiable where the recipe does not fit this image.
    """
    return attempt(job, _derived, first=lossless.is_whole(job) or exchange.is_asked(job))


def _derived(job: Job) -> Result:
    clock = time.perf_counter
    started = clock()
    check(job)
    _check_result(job)
    reasons: list[str] = []
    copied = exchange.exchanged(job) or lossless.strip_original(job, reasons)
    if copied:
        return copied
    return replace(_encoded(job, started), anew="; ".join(reasons))


def _encoded(job: Job, started: float) -> Result:
    clock = time.perf_counter
    _check_budget(job)
    job = lossless.faithful(job)
    smaller = rescaled(job)
    if smaller:
        return lossless.no_larger(job, smaller)
    picture = decode(job)
    plain = stays(picture, job)
    decoded = clock()
    with _memory_bound():
        _apply_steps(picture, job)
        transformed = clock()
        data = encode(picture, job)
    Path(job.output).write_bytes(data)
    stages = {"decode": decoded - started, "transform": transformed - decoded, "encode": clock() - transformed}
    result = Result(job.format, *picture.size, len(picture.frames), len(data), stages)
    return lossless.no_larger(job, result, partial(encode, picture), plain=plain)


def describe(job: Job) -> Result:
    """Write what `job.fields` name of the original as a JSON object to `job.output`. Raises as `derive` does."""
    return attempt(job, _described, first=True)


def _described(job: Job) -> Result:
    clock = time.perf_counter
    started = clock()
    check(job)
    job = description.decoding(job)
    picture = decode(job)
    decoded = clock()
    result = description.document(job, picture, _apply_steps)
    stages = {"decode": decoded - started, "transform": clock() - decoded, "encode": 0.0}
    return replace(result, stages=stages)


def verify(job: Job) -> Result:
    """Decode the whole original, every frame of an animation, and write the document of `describe` to `job.output`.

    Raises TooLarge, Undecodable, NotAnImage. The document is made of the same decode, so a JPEG is decoded at the scale
    that `describe` takes: its data are read to their end all the same. Where no document can be made, the output is
    empty, and the original passes nevertheless.
    """
    return attempt(job, _verified, first=True)


def _verified(job: Job) -> Result:
    clock = time.perf_counter
    started = clock()
    check(job)
    header = job.header
    if header.format in ANIMATED and header.frames > 1:  # the document is of the first frame, decoded alone
        decode(replace(job, recipe={}, format=header.format))
    small = description.decoding(job)
    picture = decode(small)
    _check_memory(picture, job)
    decoded = clock()
    if job.output:
        _write_document(small, picture)
    stages = {"decode": decoded - started, "transform": clock() - decoded}
    size = Path(job.original or job.source).stat().st_size
    silent = picture.details.silent
    return Result(header.format, header.width, header.height, header.frames, size, stages, silent=silent)


def _write_document(job: Job, picture: Picture) -> None:
    try:
        description.document(job, picture, _apply_steps)
    except Exception:  # whatever it is, `describe` meets it too, and reports it
        with suppress(OSError):
            Path(job.output).open("wb").close()


def _check_memory(picture: Picture, job: Job) -> None:
    """Raise TooLarge where the whole image does not fit into memory, although it does at the scale of `picture`."""
    width, height = job.header.width, job.header.height
    if picture.scale < 1 and not has_room(width * height * (1 if picture.frames[0].gray else 4)):
        raise TooLarge("the image takes more memory than an engine process may use")


def _apply_steps(picture: Picture, job: Job) -> None:
    for step in STEPS:
        step(picture, job)


@contextmanager
def _memory_bound() -> Iterator[None]:
    """Raise TooLarge where ImageMagick exceeds its own limits, with the same text as for the configured ones."""
    try:
        yield
    except WANT_OF_MEMORY as error:
        raise TooLarge("the work takes more memory than an engine process may use") from error


def _check_result(job: Job) -> None:
    """Refuse a result that is larger than the limits, unless the original is as large already."""
    header, limits = job.header, job.limits
    size = geometry.upright((header.width, header.height), header.orientation)
    width, height = geometry.result(size, job.recipe)
    if (width > limits.width and width > max(size)) or (height > limits.height and height > max(size)):
        raise TooLarge(f"the result would have {width}x{height} pixels, more than {limits.width}x{limits.height}")
    frames = len(shown(job))
    if width * height * frames > limits.pixels:
        raise TooLarge(f"the result would have {width}x{height} pixels in {frames} frames")


def _check_budget(job: Job) -> None:
    """Refuse an animation that takes longer to encode than a job may take."""
    size = geometry.upright((job.header.width, job.header.height), job.header.orientation)
    width, height = geometry.result(size, job.recipe)
    frames = len(shown(job))
    most = most_moving(job.format, job.limits.time)
    if frames > 1 and width * height * frames > most:
        made = f"{width}x{height} pixels in {frames} frames"
        raise TooLarge(f"an animation in {job.format} may have {most:.0f} pixels in all; the result would have {made}")
