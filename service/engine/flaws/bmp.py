"""Flaws of BMP: a wrong length in the header, and a last row without padding."""

from __future__ import annotations

from service.engine.flaws import Mended
from service.engine.headers import bmp
from service.engine.headers.source import Source
from service.engine.job import Undecodable


def mend(source: Source, deep: bool) -> Mended:
    """A stated length of 0 is no flaw, nor is the length of the pixels alone, which many encoders write."""
    del deep
    found = bmp.layout(source)
    stated, packed = source.number(2, 4, little=True), found.compression in bmp.RUN_LENGTH
    end = source.size if packed else found.pixels + found.stride * found.height
    if found.pixels + found.least > source.size:
        raise Undecodable("The BMP is damaged: it ends before its pixels do")
    if source.size < end:
        flaws = ["the bytes that pad its last row are missing"]
        return Mended(flaws, [source.part(0, source.size), bytes(end - source.size)])
    if source.size > max(stated, end):
        return Mended(["bytes follow its end"])
    return Mended(["its header states another length"] if stated not in (0, source.size) else [])
