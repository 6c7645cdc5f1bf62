"""JPEG XL: a codestream (ISO/IEC 18181-1), in a container (18181-2) or bare.

Width and height are those that are stored: decoders are asked not to turn them. Frames are counted in `jxl_frames`.
"""

from __future__ import annotations

from service.engine.headers import jxl_boxes, jxl_frames
from service.engine.headers.jxl_metadata import metadata
from service.engine.headers.source import Source
from service.engine.job import Header, Undecodable


def begins(head: bytes, _: Source) -> bool:
    return head.startswith((jxl_boxes.BARE, jxl_boxes.SIGNATURE))


def header(source: Source) -> Header:
    stream = jxl_boxes.codestream(source)
    found = metadata(stream)
    frames = len(jxl_frames.shown(stream, found)) if found.ticks else 1
    return Header("jxl", found.width, found.height, frames, found.alpha, found.orientation)


def delays(source: Source) -> list[int]:
    """The delay of each frame in milliseconds."""
    stream = jxl_boxes.codestream(source)
    found = metadata(stream)
    if not found.ticks:
        return []
    numerator, denominator = found.ticks
    return [round(1000 * ticks * denominator / numerator) for ticks in jxl_frames.shown(stream, found)]


def missing(source: Source) -> str | None:
    """A cut still image without a container is for the decoder to find."""
    if source.head(2) == jxl_boxes.BARE:
        return None
    try:
        cut = any(box.end > source.size for box in jxl_boxes.boxes(source))
    except Undecodable:
        cut = True
    return "the file ends inside a box" if cut else None
