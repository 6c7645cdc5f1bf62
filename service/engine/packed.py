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
        return self.crop((0, 0, *self.size))

    def crop(self, box: tuple[int, int, int, int]) -> Pillow.Image:
        """A part of it in Pillow, from left and top to before right and bottom, in pixels. Raises MemoryError."""
        left, top, right, bottom = box
        stride = 3 * self.size[0]
        data = self.samples[stride * top + 3 * left : stride * bottom]
        return Pillow.frombytes(self.mode, (right - left, bottom - top), data, "raw", self.mode, stride, 1)
