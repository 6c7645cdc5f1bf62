"""Boxes and points of the turned image, where imgproxy's options count, on the original before `rot` and `flip`."""

from __future__ import annotations

from service.dialects.imgproxy.options import Options
from service.engine.geometry import Box

Size = tuple[float, float]


def turned(size: tuple[int, int], options: Options) -> tuple[int, int]:
    """The size of an image after `rot`; the same function turns it back."""
    return (size[1], size[0]) if options.rotate % 180 else size


def unturned_box(box: Box, size: Size, options: Options) -> Box:
    """Where a box of the turned image of `size` lies on the original. Options turn first and mirror then."""
    left, top, right, bottom = box.edges
    width, height = size
    if options.flip[0]:
        left, right = width - right, width - left
    if options.flip[1]:
        top, bottom = height - bottom, height - top
    if options.rotate == 90:
        return Box(top, width - right, bottom, width - left)
    if options.rotate == 180:
        return Box(width - right, height - bottom, width - left, height - top)
    if options.rotate == 270:
        return Box(height - bottom, left, height - top, right)
    return Box(left, top, right, bottom)


def unturned_point(point: tuple[float, float], options: Options) -> tuple[float, float]:
    """The same for a point, in parts of width and height."""
    box = unturned_box(Box(*point, *point), (1.0, 1.0), options)
    return box.left, box.top
