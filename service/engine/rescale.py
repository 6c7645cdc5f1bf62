"""A photograph made smaller in luma and chroma, which never become RGB: of a JPEG or a WebP, in any format of the web.

It is what a gateway does most, and a fifth cheaper than the way through RGB. What a name is made by follows from the
original and the recipe alone, so the same name always gives the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow

from gateway.holding import longest_side
from service.engine import geometry
from service.engine.colour import kept
from service.engine.convolution import BOX, CUBIC, LANCZOS, Line
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
from service.engine.plane import in_range, reaching, resized
from service.engine.provenance.keeping import embedder
from service.engine.recent import recalled
from service.engine.steps import smart
from service.engine.steps.gravity import focus
from service.engine.stripping.icc import other_than_srgb

_KEYS = {"w", "h", "up", "fit", "g", "crop", "q", "bg", "frame", "keep", "over"}
"""What cuts and scales, is laid on the result, or asks nothing of an opaque still image."""

_FITS = {"inside", "outside", "cover", "fill"}

_READERS: dict[str, Callable[[bytes, Size, int, bool], Planes | None]] = functions(lambda row: row.planes_reader)
"""They take the file, its size, the n of a JPEG's n/8, and whether edges of a WebP's blocks are smoothed."""

Writer = Callable[[Planes, Size, int, int], bytes]
"""It takes the planes, the size, quality and effort."""

_WRITERS: dict[str, Writer] = functions(lambda row: row.planes_writer)

_REWRITERS: dict[str, Writer] = functions(lambda row: row.planes_rewriter)
"""They take the place of the others where an original has the format of the result."""

Way = tuple[Box, Size, Pillow.Resampling]
"""A region of the upright original, the size that it gets, and the kernel."""

Asked = tuple[int | None, int | None]
"""The box that a recipe asks for."""

_PROFILES: dict[str, Callable[[Source], bytes]] = functions(lambda row: row.profile)

_FAR = 2
"""Pixels of a WebP, across and down, for each of the result, from which on edges of blocks need not be smoothed."""

_FINE = 2
"""Samples of luma, across or down, for each of the result, below which a change of their range is worth scaling in 16
bits: rounding three times, after each pass and the change, loses 0.2 to 1.0 points of WebP's SSIMULACRA2, for 3 ms at
960 pixels. Where more are summed up, it loses half as much."""

_MOST_FINE = 4_000_000
"""Samples of luma, before and after, up to which they are: each takes up to 4 bytes meanwhile."""

_LUMA, _CHROMA = (219 / 255, 16.0), (224 / 255, 128 - 128 * 224 / 255)
"""From samples of 0..255 (JFIF) to those of 16..235 and 16..240 (ITU-R BT.601)."""


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
    data = _writer(job)(smaller, size, _quality(job), effort_of(job))
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
        and recipe.get("q") != "auto"
        and _quality(job) < FORMATS[job.format].full_chroma
        and not kept("copyright", job)
        and ("over" not in recipe or (_is_full_range(header.format, job.format) and overlaid.suits(job)))
        and max(_part(job)[1]) <= longest_side(job.format)
    )


def _writer(job: Job) -> Writer:
    writer = _WRITERS[job.format]
    return _REWRITERS.get(job.format, writer) if job.header.format == job.format else writer


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


def _lines(before: str, after: str) -> tuple[Line, Line] | None:
    """From the samples of luma and chroma in one format to those in another; None where they are the same."""
    full, wanted = _is_full_range(before), _is_full_range(after)
    if full == wanted:
        return None
    return (_back(_LUMA), _back(_CHROMA)) if wanted else (_LUMA, _CHROMA)


def _back(line: Line) -> Line:
    factor, offset = line
    return 1 / factor, -offset / factor


def _in_range(planes: Planes, lines: tuple[Line, Line]) -> Planes:
    (y, cb, cr), (luma, chroma) = planes, lines
    return in_range(y, luma), in_range(cb, chroma), in_range(cr, chroma)


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
    seen = _Seen(original, n, job.header)
    region, size = _part(job, seen)
    lines = _lines(job.header.format, job.format)
    if lines is None or _is_fine(region, size, n / 8):
        return seen.shown(region, size, lines), size
    return _in_range(seen.shown(region, size), lines), size


def _is_fine(region: Box, size: Size, scale: float) -> bool:
    samples = region.width * region.height * scale**2 + size[0] * size[1]
    return samples <= _MOST_FINE and min(region.width / size[0], region.height / size[1]) * scale < _FINE


@dataclass(frozen=True, slots=True)
class _Seen:
    """The planes of an original that is decoded at n/8, by regions of it as it is shown upright."""

    planes: Planes
    n: int
    header: Header

    def shown(self, region: Box, size: Size, lines: tuple[Line, Line] | None = None) -> Planes:
        """A region as an image of `size` shows it, by planes of the sizes that `plane_sizes` names."""
        luma, chroma = plane_sizes(size)
        # Chroma of an odd size ends half a sample beyond the image: so does the region that it shows.
        beyond = Box(
            *(region.left, region.top),
            *(region.left + region.width * luma[0] / size[0], region.top + region.height * luma[1] / size[1]),
        )
        y, cb, cr = self._resized((region, size, LANCZOS), (beyond, chroma, CUBIC), lines)
        return reaching(y, *luma), cb, cr

    def attention(self, region: Box, box: Asked, share: smart.Share | None) -> smart.Share:
        """What `steps.smart.attention` finds in a region."""
        way = region, smart.looked_at(region), BOX
        small, lines = self._resized(way, way), _lines(self.header.format, "jpg")
        return smart.middle(Pillow.merge("YCbCr", _in_range(small, lines) if lines else small), box, share)

    def _resized(self, luma: Way, chroma: Way, lines: tuple[Line, Line] | None = None) -> Planes:
        y, cb, cr = self.planes
        scale = self.n / 8
        whole, fewer = (scale, scale), (scale * cb.width / y.width, scale * cb.height / y.height)
        of_luma, of_chroma = lines or (None, None)
        return (
            resized(y, whole, self.header, *luma, of_luma),
            resized(cb, fewer, self.header, *chroma, of_chroma),
            resized(cr, fewer, self.header, *chroma, of_chroma),
        )


def _part(job: Job, seen: _Seen | None = None) -> tuple[Box, Size]:
    """The part of the upright original that the result shows, and the size of the result. Where that part lies by
    `g=smart` only what is seen can tell; its size does not depend on it."""
    header, recipe = job.header, job.recipe
    whole = geometry.upright((header.width, header.height), header.orientation)
    region = Box(0, 0, *whole)

    def at(box: Asked, share: smart.Share | None = None) -> smart.Share:
        if seen is None or recipe.get("g") != "smart":
            return focus(recipe)
        return seen.attention(region, box, share)

    if "crop" in recipe:
        kept = geometry.crop_box(recipe["crop"], whole)
        if geometry.is_sized(recipe["crop"]):
            place = at((None, None), (kept.width / whole[0], kept.height / whole[1]))
            kept = geometry.crop_box(recipe["crop"], whole, place)
        region = kept
    size = geometry.resampled(region.width, region.height, recipe)
    if recipe.get("fit") == "cover":
        region = geometry.covering(region, size, at(geometry.asked(recipe)))
    return region, size


def _is_far(job: Job) -> bool:
    region, size = _part(job)
    return min(region.width / size[0], region.height / size[1]) >= _FAR
