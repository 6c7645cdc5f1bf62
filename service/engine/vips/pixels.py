"""From libvips to Pillow: pixels are computed in Pillow's own layout, which has 1 or 4 bytes a pixel."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pyvips
from PIL import Image as Pillow

from service.engine.blocks import block

pyvips.cache_set_max(0)  # of operations: an image is made once
pyvips.block_untrusted_set(True)  # loaders that libvips does not hold fit for files of strangers


def opened(path: Path) -> pyvips.Source:
    """Return a file for a loader to read from as it goes. By its name libvips would map it, and a map fails with the
    file; bytes pyvips copies once more. Raises OSError, pyvips.Error."""
    with path.open("rb") as file:
        return pyvips.Source.new_from_descriptor(file.fileno())  # a descriptor of its own


def written(image: pyvips.Image, mode: str) -> Pillow.Image:
    """Return the pixels of an image with as many bands as `mode` has, computed into Pillow's own memory. Raises
    pyvips.Error, MemoryError."""
    if mode == "LA":
        image = image[0].bandjoin([image[0], image[0], image[1]])
    elif mode == "RGB":
        image = image.bandjoin(255)
    made, start = block(mode, (image.width, image.height))
    samples = (ctypes.c_uint8 * (image.width * image.height * image.bands)).from_address(start)
    image.write(pyvips.Image.new_from_memory(samples, image.width, image.height, image.bands, "uchar"))
    return made
