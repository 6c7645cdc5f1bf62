"""The parts of Pillow that it does not promise to keep, which the engine needs. The range of versions in pyproject.toml
is as narrow as these demand; importing this module fails where Pillow has changed them."""

from __future__ import annotations

from typing import Any

import PIL
from PIL import Image as Pillow
from PIL import _imaging


def new_core(mode: str, size: tuple[int, int]) -> Any:
    """Returns black pixels in one piece of memory, which export the Arrow C data interface. Raises MemoryError."""
    return _imaging.new_block(mode, size)


def wrapped(core: Any) -> Pillow.Image:
    """Returns an image of these pixels, without a copy of them and without `info`."""
    return Pillow.Image()._new(core)


def looked_up(image: Pillow.Image, table: bytes) -> Pillow.Image:
    """Returns what `image.point(table, "L")` does of an image of mode L or I, and does not round each of the 256 or
    65,536 entries in Python first, which takes longer than the lookup."""
    return wrapped(image.im.point(table, "L"))


def require(version: str) -> None:
    """Raises ImportError where Pillow does not do these as they are needed."""
    try:
        core = new_core("RGB", (2, 1))
        core.__arrow_c_array__()
        works = wrapped(core).tobytes() == bytes(6)
        works &= looked_up(Pillow.new("I", (1, 1), 300), bytes(300) + b"\7" + bytes(65235)).tobytes() == b"\7"
        works &= looked_up(Pillow.new("L", (1, 1), 200), bytes(200) + b"\7" + bytes(55)).tobytes() == b"\7"
    except (AttributeError, TypeError, ValueError) as error:
        raise ImportError(_changed(version)) from error
    if not works:
        raise ImportError(_changed(version))


def _changed(version: str) -> str:
    return (
        f"Pillow {version}: _imaging.new_block, Image._new or ImagingCore.point is not what it was; "
        "install a version within the range of pyproject.toml"
    )


require(PIL.__version__)
