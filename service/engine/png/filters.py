"""Apply PNG's filters (PNG third edition, chapter 9) to many rows at once, by Pillow's arithmetic of whole images.

Paeth's is left out: Pillow has no arithmetic for it, and without it the best for each row takes as many bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image, ImageChops

NONE, SUB, UP, AVERAGE = 0, 1, 2, 3
"""As they are numbered in the file."""

BEST = -1
"""For each row one of the last three: that with the least sum of absolute differences (12.7)."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

_TOGETHER = 256
"""Rows that are filtered together: the memory for it stays small."""

_SUMS = 16
"""Parts of a row whose mean differences, which are rounded, are added up."""


def rows(image: Image.Image, filter_: int, first: int, last: int) -> Iterator[bytes]:
    """Yield rows `first` to before `last` of an image in L, LA, RGB or RGBA, filtered, each behind a byte that names
    its filter, some at once. The first row of an image has none above it, so `SUB` takes the place of `UP` there."""
    if filter_ == UP and first == 0:
        yield from rows(image, SUB, 0, 1)
        first = 1
    for top in range(first, last, _TOGETHER):
        box = (0, top, image.width, min(top + _TOGETHER, last))
        if filter_ == BEST:
            yield from _best(image, box)
        else:
            name = bytes([filter_])
            yield name + name.join(_split(_filtered(image, filter_, box)))


def piece(image: Image.Image, box: Box) -> Image.Image:
    """Return the pixels in a box; samples beyond the edges are 0. `crop` would check the size against the limit of
    originals."""
    left, top, right, bottom = box
    made = Image.new(image.mode, (right - left, bottom - top), (0,) * len(image.getbands()))
    made.paste(image, (-left, -top))
    return made


def _filtered(image: Image.Image, filter_: int, box: Box) -> Image.Image:
    band = piece(image, box)
    return ImageChops.subtract_modulo(band, _predicted(image, filter_, box)) if filter_ else band


def _predicted(image: Image.Image, filter_: int, box: Box) -> Image.Image:
    """What is subtracted."""
    _, top, width, bottom = box
    left, above = (-1, top, width - 1, bottom), (0, top - 1, width, bottom - 1)
    if filter_ == AVERAGE:
        return Image.blend(piece(image, left), piece(image, above), 0.5)  # rounded down
    return piece(image, left if filter_ == SUB else above)


def _best(image: Image.Image, box: Box) -> Iterator[bytes]:
    band, filters = piece(image, box), (SUB, UP, AVERAGE)
    predicted = [_predicted(image, filter_, box) for filter_ in filters]
    sums = [_sums(ImageChops.difference(band, one)) for one in predicted]
    split = [_split(ImageChops.subtract_modulo(band, one)) for one in predicted]
    for row, costs in enumerate(zip(*sums, strict=True)):
        chosen = costs.index(min(costs))
        yield bytes([filters[chosen]]) + split[chosen][row]


def _sums(differences: Image.Image) -> list[int]:
    """The differences of each row, added up. Bands are taken one by one, for `resize` weighs colours by alpha."""
    size = (_SUMS, differences.height)
    means = [_split(band.resize(size, Image.Resampling.BOX)) for band in differences.split()]
    return [sum(map(sum, rows)) for rows in zip(*means, strict=True)]


def _split(image: Image.Image) -> list[bytes]:
    data, length = image.tobytes(), image.width * len(image.getbands())
    return [data[at : at + length] for at in range(0, len(data), length)]
