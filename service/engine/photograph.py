"""A photograph as JPEG XL from luma and chroma: a JPEG with tables of its own, whose coefficients libjxl codes anew.

libjxl's own coding holds colours in the whole size, and at the efforts that a busy site accepts it chooses nothing by
what it sees. Chroma of half the size, and steps that suit photographs, take fewer bytes for the same SSIMULACRA2, and
two thirds of the time. Drawings, whose coloured edges need chroma of the whole size, are not written so.
"""

from __future__ import annotations

from service.engine.geometry import Size
from service.engine.jpeg import planes as jpeg
from service.engine.jpeg.quantisation import Table
from service.engine.jxl import transcoding
from service.engine.jxl.writing import distance
from service.engine.memory import freed, has_room

_Y = (
    *(23, 44, 60, 79, 100, 124, 150, 175),
    *(44, 51, 66, 86, 110, 138, 167, 198),
    *(60, 66, 80, 101, 127, 158, 192, 229),
    *(79, 86, 101, 123, 151, 186, 225, 268),
    *(100, 110, 127, 151, 183, 222, 267, 317),
    *(124, 138, 158, 186, 222, 266, 318, 375),
    *(150, 167, 192, 225, 267, 318, 377, 444),
    *(175, 198, 229, 268, 317, 375, 444, 522),
)
_CB = (
    *(19, 43, 72, 104, 133, 146, 141, 118),
    *(43, 54, 80, 111, 138, 151, 144, 120),
    *(72, 80, 101, 127, 148, 155, 144, 118),
    *(104, 111, 127, 145, 157, 156, 139, 111),
    *(133, 138, 148, 157, 159, 149, 128, 98),
    *(146, 151, 155, 156, 149, 133, 109, 81),
    *(141, 144, 144, 139, 128, 109, 86, 61),
    *(118, 120, 118, 111, 98, 81, 61, 42),
)
_CR = (
    *(16, 38, 64, 93, 117, 130, 125, 104),
    *(38, 48, 71, 99, 122, 134, 128, 107),
    *(64, 71, 90, 112, 131, 137, 128, 105),
    *(93, 99, 112, 128, 139, 138, 123, 98),
    *(117, 122, 131, 139, 140, 132, 113, 87),
    *(130, 134, 137, 138, 132, 118, 97, 72),
    *(125, 128, 128, 123, 113, 97, 76, 54),
    *(104, 107, 105, 98, 87, 72, 54, 37),
)
"""Steps of Y, Cb and Cr at the quality of which the distance is `_DISTANCE`, row by row. They were found by search for
SSIMULACRA2 of 66, 72 and 78, on 19 of the photographs in bench/smart.json that `bench/run formats` does not measure."""

_DISTANCE = 12.8
"""What leaves the score at 66 to 78 as libjxl's own coding has it at this distance of Butteraugli."""

_LEAST = 64 * 64
"""Pixels from which on it pays: the tables take bytes, too. 48x32 take 9 % more than by libjxl's own coding, and 80x53
12 % fewer."""


def write(planes: jpeg.Planes, size: Size, quality: int, _effort: int) -> bytes:
    """A JPEG XL of `size` in sRGB, a bare codestream, from planes as `jpeg.planes.plane_sizes` names them.

    `quality` is 1..99, and scores as libjxl's own coding does up to 84. libjxl's effort changes nothing: higher ones
    leave the same bytes. Empty where there are few pixels or no room, or libjxl is missing. Raises MemoryError.
    """
    pixels = size[0] * size[1]
    if pixels < _LEAST or not has_room(transcoding.PIXEL * pixels - freed()):
        return b""
    return transcoding.codestream(jpeg.coded(planes, size, tables(quality), optimize=False))


def tables(quality: int) -> tuple[Table, ...]:
    """The steps of Y, Cb and Cr, 1..255, for a quality of 1..99."""
    factor = distance(quality) / _DISTANCE
    return tuple([min(255, max(1, int(step * factor + 0.5))) for step in table] for table in (_Y, _CB, _CR))
