"""Cut and scale by ImageMagick to edges between pixels, although its resize takes only whole pixels."""

from __future__ import annotations

from wand.image import Image

from service.engine.geometry import Box, Size

FILTER = "lanczos"

MEANS = 2
"""Pixels per pixel of the result to which what is at least half again as large is brought by taking means."""

_REACH = 24
"""Pixels of the result that are made beyond an edge at most, to find one that lies on a whole pixel of the source."""

_NEAR = 0.02
"""Pixels of the result by which an edge may be missed."""


def resized(image: Image, region: Box, size: Size) -> None:
    """Bring the part of an image that lies in `region` to its new size.

    A few columns and rows more are made where that lets the source be cut between two pixels, and are cut off again:
    so a scaled decode, whose last column is only partly image, is not stretched.
    """
    left, right, before, behind = _window(region.left, region.right, size[0])
    top, bottom, above, below = _window(region.top, region.bottom, size[1])
    _extend(image, right, bottom)
    _cut(image, left, top, right, bottom)
    larger = size[0] + before + behind, size[1] + above + below
    if image.size != larger:
        if min(image.width / larger[0], image.height / larger[1]) >= 1.5 * MEANS:
            image.scale(MEANS * larger[0], MEANS * larger[1])
        image.resize(*larger, filter=FILTER)
    _cut(image, before, above, before + size[0], above + size[1])


def _window(low: float, high: float, size: int) -> tuple[int, int, int, int]:
    """From where to where to cut the source, and how many pixels of the result to cut off at each end."""
    ratio = (high - low) / size
    before = _nearest([low - more * ratio for more in range(_REACH) if low - more * ratio >= 0] or [low], ratio)
    behind = _nearest([high + more * ratio for more in range(_REACH)], ratio)
    start, stop = round(low - before * ratio), round(high + behind * ratio)
    return start, max(start + 1, stop), before, behind


def _nearest(edges: list[float], ratio: float) -> int:
    """The first of the edges that is near enough to a whole pixel, else the nearest."""
    missed = [abs(edge - round(edge)) / ratio for edge in edges]
    return next((index for index, much in enumerate(missed) if much <= _NEAR), missed.index(min(missed)))


def _extend(image: Image, right: int, bottom: int) -> None:
    """Repeat the last column and row up to these edges, where the image ends before."""
    width, height = image.size
    if right <= width and bottom <= height:
        return
    image.compose = "copy"  # by this `extent` lays the image on its new canvas
    image.extent(max(right, width), max(bottom, height))
    if right > width:
        with image.clone() as column:
            _cut(column, width - 1, 0, width, height)
            column.sample(right - width, height)
            image.composite(column, width, 0, operator="copy")
    if bottom > height:
        with image.clone() as row:
            _cut(row, 0, height - 1, image.width, height)
            row.sample(image.width, bottom - height)
            image.composite(row, 0, height, operator="copy")


def _cut(image: Image, left: int, top: int, right: int, bottom: int) -> None:
    if (left, top, right, bottom) != (0, 0, *image.size):
        image.crop(left, top, right, bottom)
        image.reset_coords()
