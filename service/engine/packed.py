"""Pixels of RGB in three bytes each, as they are coded. Pillow holds them in four, and to bring them there takes a
quarter of the time that a screenshot takes to decode, so they are scaled as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from PIL import Image as Pillow

from service.engine.geometry import Size


@dataclass(frozen=True, slots=True)
class Packed:
    """`samples` are the rows, without gaps."""

    size: Size
    samples: bytes
    mode: ClassVar[str] = "RGB"

    def unpacked(self) -> Pillow.Image:
        """The same in Pillow. Raises MemoryError."""
        return Pillow.frombytes(self.mode, self.size, self.samples)
