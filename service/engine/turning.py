"""AVIF as it is shown: cut, turned and mirrored by `clap`, `irot` and `imir`, which its decoders leave to others."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow

from service.engine.headers import isobmff
from service.engine.headers.source import OpenedFile

_TURNS = (None, Pillow.Transpose.ROTATE_90, Pillow.Transpose.ROTATE_180, Pillow.Transpose.ROTATE_270)
"""By `irot`, quarters anticlockwise (ISO/IEC 23008-12, 6.5.10), as Pillow counts them."""

_MIRRORS = (Pillow.Transpose.FLIP_TOP_BOTTOM, Pillow.Transpose.FLIP_LEFT_RIGHT)
"""By `imir` (edition of 2022, 6.5.12)."""


def upright(image: Pillow.Image, path: Path) -> Pillow.Image:
    """Return the picture as it is shown, by the properties of the file in their order.

    What EXIF or XMP say of its orientation does not count (6.5.10, note). Raises Undecodable.
    """
    with OpenedFile(path) as source:
        changes = isobmff.changes(source)
    for change in changes:
        if change.cut:
            image = image.crop(change.cut)
        elif change.mirror is not None:
            image = image.transpose(_MIRRORS[change.mirror])
        elif turn := _TURNS[change.turn]:
            image = image.transpose(turn)
    return image
