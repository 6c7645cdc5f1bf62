"""Small files of every format and kind, the beginnings of the fuzzing; by format word, some of them no image at all."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator

from tests import images, profiles
from tests.engine.free_bytes import avifs, gifs, jpegs, pngs, sequences, webps
from tests.engine.laborious import LABORIOUS
from tests.hostile.damage import SIZE, whole
from tests.pictures import animations, bmps, colour, flaws, tiffs
from tests.pictures import avifs as apertures

SHARE = 4  # of the pictures, which differ in little, every fourth
MOST = 40_000  # bytes of a file: larger ones are slow, and change nothing


@functools.cache
def corpus() -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = defaultdict(list)
    for kind, data in _files():
        if len(data) <= MOST and data not in found[kind]:
            found[kind].append(data)
    return dict(found)


def profile_corpus() -> list[bytes]:
    """ICC profiles of several kinds."""
    return [
        *(profiles.srgb(), profiles.display_p3(), profiles.adobe_rgb(), profiles.prophoto()),
        *(profiles.gray(), profiles.cmyk()),
    ]


def _files() -> Iterator[tuple[str, bytes]]:
    yield from ((name.rpartition(".")[2], data) for name, data in whole().items())
    planted = {
        "jpg": jpegs.JPEGS,
        "png": pngs.PNGS,
        "gif": gifs.GIFS,
        "webp": webps.WEBPS,
        "avif": {**avifs.AVIFS, **sequences.SEQUENCES},
    }
    for kind, made in planted.items():
        yield from ((kind, data) for data in made.values())
    words = {"jpeg": "jpg", "tiff": "tif"}
    for name, make in LABORIOUS.items():
        first = name.split()[0]
        yield words.get(first, first), make(2000)
    for pictures in (colour, tiffs, bmps, flaws, animations, apertures):
        yield from ((case.kind, case.make()) for case in pictures.CASES[::SHARE])
    yield from _with_profiles()


def _with_profiles() -> Iterator[tuple[str, bytes]]:
    small, p3 = images.photo(*SIZE), profiles.display_p3()
    yield "jpg", images.jpeg(small, icc_profile=p3)
    yield "jpg", images.jpeg_ycck(*SIZE, icc_profile=profiles.cmyk())
    yield "jpg", images.jpeg(small, restart_marker_blocks=1)
    yield "jpg", images.jpeg(small, progressive=True, exif=images.exif(3))
    yield "png", images.png(small, icc_profile=p3, exif=images.exif(6))
    yield "png", images.apng(count=2)
    yield "webp", images.webp(small, icc_profile=p3, exif=images.exif())
    yield "avif", images.avif(small, icc_profile=p3, exif=images.exif())
    yield "gif", images.gif_animated(count=3, disposal=[1, 2, 3], loop=3, alpha=True)
    yield "tif", images.tiff(small, big_tiff=True)
    yield "tif", images.tiff_pages(3)
