"""The transparent gray of a PNG whose samples have 2 or 4 bits.

The chunk tRNS gives it as a sample (PNG, third edition, 11.3.2.1). Pillow makes samples of 8 bits, and compares them
with it as it is.
"""

from __future__ import annotations

from PIL import ImageFile

_MOST = {"L;2": 3, "L;4": 15}
"""By Pillow's name of how samples are stored: the sample of white."""


def widen(file: ImageFile.ImageFile) -> None:
    """Bring the transparent gray to 8 bits. The file is open, and not yet loaded."""
    most = next((_MOST[tile.args] for tile in file.tile if isinstance(tile.args, str) and tile.args in _MOST), None)
    clear = file.info.get("transparency")
    if most and isinstance(clear, int) and clear <= most:
        file.info["transparency"] = clear * 255 // most
