"""A photograph made smaller in luma and chroma, which never become RGB: a JPEG or a WebP, as a JPEG, WebP or AVIF.

It is what a gateway does most, and a fifth cheaper than the way through RGB. What a name is made by follows from the
original and the recipe alone, so the same name always gives the same bytes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image as Pillow

from gateway.holding import longest_side
from service.engine import geometry
from service.engine.colour import kept
from service.engine.convolution import CUBIC, LANCZOS, scaled
from service.engine.decode import is_large, scaling
from service.engine.encode import effort_of
from service.engine.formats import FORMATS, functions
from service.engine.geometry import Box, Size
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, Job, Result, Undecodable
from service.engine.jpeg import overlaid
from service.engine.jpeg.drawn import has_coloured_edges, is_drawn
from service.engine.jpeg.planes import Planes, plane_sizes
from service.engine.libraries import by_magick
from service.engine.picture import Details, Frame
from service.engine.provenance.keeping import embedder
from service.engine.quality import FULL_CHROMA
from service.engine.recent import recalled
from service.engine.steps.gravity import focus
from service.engine.steps.orient import TURNS
from service.engine.stripping.icc import other_than_srgb

_KEYS = {"w", "h", "up", "fit", "g", "crop", "q", "bg", "frame", "keep", "over"}
"""What cuts and scales, is laid on the result, or asks nothing of an opaque still image."""

_FITS = {"inside", "outside", "cover", "fill"}

_READERS: dict[str, Callable[[bytes, Size, int, bool], Planes | None]] = functions(lambda row: row.planes_reader)
"""They take the file, its size, the n of a JPEG's n/8, and whether edges of a WebP's blocks are smoothed."""

_WRITERS: dict[str, Callable[[Planes, Size, int, int], bytes]] = functions(lambda row: row.planes_writer)
"""They take the planes, the size, quality and effort."""

_PROFILES: dict[str, Callable[[Source], bytes]] = functions(lambda row: row.profile)

_FAR = 2
"""Pixels of a WebP, across and down, for each of the result, from which on edges of blocks need not be smoothed."""

_LUMA, _CHROMA = (219 / 255, 16.0), (224 / 255, 128 - 128 * 224 / 255)
"""Factor and offset from samples of 0..255 (JFIF) to those of 16..235 and 16..240 (ITU-R BT.601)."""

_NOTHING = 1e-6
"""Samples by which a region may pass an edge through the rounding of numbers alone."""


def rescaled(job: Job) -> Result | None:
    """Write the smaller image to `job.output`; None where the recipe asks for more, or the file is of another kind,
    or drawn: its edges take what rounding there is in planes.

    Raises Unsatisfiable and MemoryError.
    """
    if not _asks_only_size(job):
        return None
    clock = time.perf_counter
    started = clock()
    n = scaling(job)
    original = _planes(job, n)
    if original is None or _is_drawn(original, n, job):
        return None
    decoded = clock()
    smaller, size = _scaled(original, n, job)
    smaller = overlaid.overlaid(smaller, size, job)
    transformed = clock()
    data = _WRITERS[job.format](_in_range(smaller, job), size, _quality(job), effort_of(job))
    if not data:
        return None
    if embed := embedder(job):
        data = embed(data)
    Path(job.output).write_bytes(data)
    stages = {"decode": decoded - started, "transform": transformed - decoded, "encode": clock() - transformed}
    return Result(job.format, *size, 1, len(data), stages)


def _asks_only_size(job: Job) -> bool:
    recipe, header = job.recipe, job.header
    return (
        header.format in _READERS
        and job.format in _WRITERS
        and (header.frames, header.alpha) == (1, False)
        and not by_magick("rescale", job)
        and recipe.keys() <= _KEYS
        and recipe.get("fit", "inside") in _FITS
        and recipe.get("g") != "smart"
        and recipe.get("q") != "auto"
        and (job.format != "jpg" or _quality(job) < FULL_CHROMA)
        and not kept("copyright", job)
        and ("over" not in recipe or (_is_full_range(header.format, job.format) and overlaid.suits(job)))
        and max(_part(job)[1]) <= longest_side(job.format)
    )


def _is_full_range(*formats: str) -> bool:
    return all(FORMATS[format].is_full_range for format in formats)


def _quality(job: Job) -> int:
    return int(job.recipe.get("q", job.quality))


def _is_drawn(original: Planes, n: int, job: Job) -> bool:
    """JPEG of JPEG stays among drawn colours: its chroma has half the size either way."""
    y, cb, cr = original
    if job.header.format == "jpg" and is_large(job):
        return False
    has_colours = (job.header.format, job.format) != ("jpg", "jpg")
    return is_drawn(y, n) or (has_colours and (has_coloured_edges(cb) or has_coloured_edges(cr)))


def _in_range(planes: Planes, job: Job) -> Planes:
    """The planes of an original in the range of samples that the result's format has."""
    full, wanted = _is_full_range(job.header.format), _is_full_range(job.format)
    if full == wanted:
        return planes
    luma, chroma = (_table(*line, back=wanted) for line in (_LUMA, _CHROMA))
    y, cb, cr = planes
    return y.point(luma), cb.point(chroma), cr.point(chroma)


def _table(factor: float, offset: float, *, back: bool) -> list[int]:
    """A sample for each of 0..255, by `factor` and `offset` or, with `back`, against them."""
    samples = range(256)
    changed = [(sample - offset) / factor if back else sample * factor + offset for sample in samples]
    return [min(255, max(0, round(sample))) for sample in changed]


def _planes(job: Job, n: int) -> Planes | None:
    path, header = Path(job.source), job.header
    filtered = header.format == "webp" and not _is_far(job)

    def read() -> tuple[list[Frame], Details]:
        profiled = _profiled(path, header.format)
        size = (header.width, header.height)
        found = None if profiled else _READERS[header.format](path.read_bytes(), size, n, filtered)
        return [Frame(plane) for plane in found or ()], Details()

    frames, _ = recalled(path, ("planes", n, filtered), read, tile="crop" in job.recipe)
    if not frames:
        return None
    y, cb, cr = (frame.pillow() for frame in frames)
    return y, cb, cr


def _profiled(path: Path, format: str) -> bool:
    """Whether there is a profile that is not sRGB's, or no telling."""
    try:
        with OpenedFile(path) as source:
            return bool(other_than_srgb(_PROFILES[format](source)))
    except Undecodable:
        return True


def _scaled(original: Planes, n: int, job: Job) -> tuple[Planes, Size]:
    """The planes of the result as they are written, and the size of the image."""
    header = job.header
    region, size = _part(job)
    luma, chroma = plane_sizes(size)
    # Chroma of an odd size ends half a sample, luma a whole one, beyond the image: so does the region they show.
    beyond = Box(
        *(region.left, region.top),
        *(region.left + region.width * luma[0] / size[0], region.top + region.height * luma[1] / size[1]),
    )
    y, cb, cr = original
    scale = n / 8
    fewer = scale * cb.width / y.width, scale * cb.height / y.height
    made = (
        _resized(y, (scale, scale), header, beyond, luma, LANCZOS),
        _resized(cb, fewer, header, beyond, chroma, CUBIC),
        _resized(cr, fewer, header, beyond, chroma, CUBIC),
    )
    return made, size


def _part(job: Job) -> tuple[Box, Size]:
    """The part of the upright original that the result shows, and the size of the result."""
    header, recipe = job.header, job.recipe
    whole = geometry.upright((header.width, header.height), header.orientation)
    region = geometry.crop_box(recipe["crop"], whole, focus(recipe)) if "crop" in recipe else Box(0, 0, *whole)
    size = geometry.resampled(region.width, region.height, recipe)
    if recipe.get("fit") == "cover":
        region = geometry.covering(region, size, focus(recipe))
    return region, size


def _is_far(job: Job) -> bool:
    region, size = _part(job)
    return min(region.width / size[0], region.height / size[1]) >= _FAR


def _resized(
    plane: Pillow.Image, scale: tuple[float, float], header: Header, region: Box, size: Size, kernel: Pillow.Resampling
) -> Pillow.Image:
    """The part of a plane that shows a region of the upright original, upright and in its new size.

    `scale` is samples per pixel of the original, across and down as it is stored.
    """
    across, down = scale
    shown = geometry.turned(Box(0, 0, header.width * across, header.height * down), plane.size, header.orientation)
    if header.orientation != 1:
        plane = plane.transpose(TURNS[header.orientation])
    if header.orientation >= 5:
        across, down = down, across
    box = Box(region.left * across, region.top * down, region.right * across, region.bottom * down)
    box = box.moved(shown.left, shown.top)
    if (box.width, box.height) == size and box == Box(*box.whole()):
        return _reaching(plane, int(box.right), int(box.bottom)).crop(box.whole())
    plane = _reaching(plane, math.ceil(box.right - _NOTHING), math.ceil(box.bottom - _NOTHING))
    return scaled(plane, size, box.within(plane.size), kernel)


def _reaching(plane: Pillow.Image, right: int, bottom: int) -> Pillow.Image:
    """The plane with its last column and row repeated up to these edges, where it ends before."""
    width, height = plane.size
    if right <= width and bottom <= height:
        return plane
    larger = Pillow.new("L", (max(right, width), max(bottom, height)))
    larger.paste(plane)
    if right > width:
        larger.paste(
            larger.crop((width - 1, 0, width, larger.height)).resize((right - width, larger.height)), (width, 0)
        )
    if bottom > height:
        larger.paste(
            larger.crop((0, height - 1, larger.width, height)).resize((larger.width, bottom - height)), (0, height)
        )
    return larger
