"""Originals of all formats that state where they come from, and files with a manifest that c2pa-rs 0.91 made.

The files of `signed/` have a claim of version 2 in each format, and one of version 1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests import images
from tests.engine.deriving import derive

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREDIT = 'Ärger & "Söhne" <b>'
Stated = Callable[..., Path]
FOLDER = Path(__file__).parent / "signed"
SIGNED = sorted(FOLDER.iterdir())
SMALL = images.photo(64, 48)
ORIGINALS = {
    "jpg": images.jpeg(SMALL),
    "png": images.png_alpha(64, 48),
    "webp": images.webp(SMALL),
    "gif": images.gif_animated(3),
    "tif": images.tiff(SMALL),
    "avif": images.avif(SMALL),
    "jxl": derive(images.png(SMALL), "", "jxl").data,
    "heic": images.heic(SMALL),
}
