"""TIFF of 16 bits a sample without a profile, to the 8 bits of sRGB that the result has: by libvips, in a third of the
time that ImageMagick takes to decode and scale 16.

Where nothing is converted, bits beyond 8 change no colour. Metadata is not read: what needs it is left to ImageMagick.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pyvips

from service.engine import deep
from service.engine.headers import tiff
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, Job, Undecodable
from service.engine.magick import reading
from service.engine.picture import Details, Frame
from service.engine.tiff import chain
from service.engine.vips import pixels

_BITS, _COMPRESSION, _FILL_ORDER, _SAMPLES, _PLANAR, _FORMAT, _ICC = 258, 259, 266, 277, 284, 339, 34675
_COMPRESSIONS = (1, 5, 8, 32946)  # none, LZW, Deflate and its older number
_CHANNELS = {1: 1, 2: 3}  # by photometric interpretation: gray where 0 is black, and RGB
_MODES = {1: "L", 3: "RGB"}


def suits(job: Job) -> bool:
    """Return True for an original of this kind of which pixels alone are wanted."""
    wanted = job.task == "derive" and job.library == "auto" and not job.tolerant and "keep" not in job.recipe
    if job.header.format != "tif" or not wanted:
        return False
    with OpenedFile(Path(job.source)) as source:
        try:
            return _is_plain(source, int(job.recipe.get("frame", 0)))
        except Undecodable:  # what has no structure left
            return False


def _is_plain(source: Source, number: int) -> bool:
    page = tiff.picture(source, number)
    channels = _CHANNELS.get(page.number(tiff.PHOTOMETRIC))
    return (
        page.numbers(_BITS) == (16,) * (channels or 0)
        and (page.number(_SAMPLES) or 1) == channels
        and set(page.numbers(_FORMAT)) <= {1}
        and (page.number(_COMPRESSION) or 1) in _COMPRESSIONS
        and (page.number(_PLANAR) or 1) == (page.number(_FILL_ORDER) or 1) == 1
        and _ICC not in page.tags
        and not page.nested
    )


def read(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """One page, as stored. Raises what ImageMagick's reader raises, which judges what libvips does not read."""
    try:
        page = chain.pages(path, header, wanted).start
        image = pyvips.Image.tiffload_source(pixels.opened(path), page=page, access="sequential", fail_on="error")
        if image.format != "ushort" or image.bands not in _MODES:
            return reading.read(path, header, wanted, n, tolerant)
        mode = _MODES[image.bands]
        frame = Frame(pixels.written(image.maplut(_rounded()), mode))
    except pyvips.Error:
        return reading.read(path, header, wanted, n, tolerant)
    return [frame], Details(space="gray" if mode == "L" else "srgb", depth=16)


@lru_cache(maxsize=1)
def _rounded() -> pyvips.Image:
    return pyvips.Image.new_from_memory(deep.rounded(65535), 65536, 1, 1, "uchar")
