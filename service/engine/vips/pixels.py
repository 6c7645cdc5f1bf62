"""Pixels to libvips and back: the bridge to Pillow, in Pillow's own layout, which has 1 or 4 bytes a pixel."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pyvips
from PIL import Image as Pillow

from service.engine.blocks import address, block

pyvips.cache_set_max(0)  # of operations: an image is made once
pyvips.block_untrusted_set(True)  # loaders that libvips does not hold fit for files of strangers


def can_write(word: str) -> bool:
    """Return True if libvips was built with what writes this format."""
    return bool(pyvips.type_find("VipsOperation", f"{word}save_buffer"))


def opened(path: Path) -> pyvips.Source:
    """Return a file for a loader to read from as it goes. By its name libvips would map it, and a map fails with the
    file; bytes pyvips copies once more. Raises OSError, pyvips.Error."""
    with path.open("rb") as file:
        return pyvips.Source.new_from_descriptor(file.fileno())  # a descriptor of its own


def imported(image: Pillow.Image) -> pyvips.Image:
    """Return the same pixels, which are valid as long as `image` is, in 1 band for L and in 4 for all other modes."""
    (width, height), bands = image.size, 1 if image.mode == "L" else 4
    samples = (ctypes.c_uint8 * (width * height * bands)).from_address(address(image))
    return pyvips.Image.new_from_memory(samples, width, height, bands, "uchar")


def unpacked(image: pyvips.Image, mode: str) -> Pillow.Image:
    """Return the pixels of an image with as many bands as `mode` has. Raises pyvips.Error, MemoryError."""
    made, _ = block(mode, (image.width, image.height))
    made.frombytes(image.write_to_memory(), "raw", mode)
    return made


def exported(image: pyvips.Image, mode: str) -> Pillow.Image:
    """Return the pixels of an image that has been made of an imported one of the same `mode`. Raises pyvips.Error."""
    samples = image.write_to_memory()
    made, start = block(mode, (image.width, image.height))
    ctypes.memmove(start, ctypes.addressof(ctypes.c_uint8.from_buffer(samples)), len(samples))
    return made
