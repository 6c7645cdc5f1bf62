"""The transparent gray of a PNG whose samples have 2, 4 or 16 bits.

The chunk tRNS gives it as a sample (PNG, third edition, 11.3.2.1). Pillow makes samples of 8 bits, and compares them
with it as it is; samples of 16 bits it clips at white.
"""

from __future__ import annotations

from PIL import Image as Pillow
from PIL import ImageFile

_MOST = {"L;2": 3, "L;4": 15}
"""By Pillow's name of how samples are stored: the sample of white."""

_HIGH = bytes(value >> 8 for value in range(1 << 16))  # a list takes 0.5 MiB in every gateway


def widen(file: ImageFile.ImageFile) -> None:
    """Bring the transparent gray to 8 bits. The file is open, and not yet loaded."""
    most = next((_MOST[tile.args] for tile in file.tile if isinstance(tile.args, str) and tile.args in _MOST), None)
    clear = file.info.get("transparency")
    if most and isinstance(clear, int) and clear <= most:
        file.info["transparency"] = clear * 255 // most


def rgba(file: ImageFile.ImageFile) -> Pillow.Image:
    """What an open PNG shows, gray samples of 16 bits by their higher bytes. Raises what Pillow raises."""
    widen(file)
    file.load()
    if not file.mode.startswith("I"):
        return file.convert("RGBA")
    deep, clear = file.convert("I"), file.info.get("transparency")
    shown = deep.point(_HIGH, "L").convert("RGBA")
    if isinstance(clear, int):
        shown.putalpha(deep.point([0 if value == clear else 255 for value in range(1 << 16)], "L"))
    return shown
