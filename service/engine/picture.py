"""The image on its way through the steps: its frames, their timing, and what part of them counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image as Pillow
from wand.image import Image

from service.engine import pixels
from service.engine.colorimetry import Statement
from service.engine.geometry import Box, Size
from service.engine.packed import Packed

SILENT = "silent"
"""In `info` of decoded pixels, where the decoder read the whole file and had nothing to say of it."""

Held: TypeAlias = Image | Pillow.Image | Packed

_NOTHING = Pillow.new("L", (1, 1))


class Frame:
    """One whole (coalesced) frame, held by whichever library worked on it last, or as a decoder gives it; the other
    library gets it when it asks.

    Pillow resamples, turns and converts colours several times as fast; ImageMagick does all else. Both hold
    straight alpha. `delay` is how long the frame is shown, in milliseconds; 0 in a still image.
    """

    __slots__ = ("_held", "delay")

    def __init__(self, held: Held, delay: int = 0) -> None:
        self._held = held
        self.delay = delay

    @property
    def size(self) -> Size:
        return self._held.size

    @property
    def alpha(self) -> bool:
        """Whether there is an alpha channel, opaque or not."""
        held = self._held
        return bool(held.alpha_channel) if isinstance(held, Image) else held.mode in ("LA", "RGBA")

    @property
    def gray(self) -> bool:
        held = self._held
        return held.colorspace == "gray" if isinstance(held, Image) else held.mode in ("L", "LA")

    @property
    def deep(self) -> bool:
        """Whether the samples have more than 8 bits, or a colour space that Pillow does not have."""
        return isinstance(self._held, Image) and pixels.mode(self._held) is None

    def pillow(self) -> Pillow.Image:
        """The pixels in Pillow, 8 bits a sample: L, LA, RGB, RGBA or CMYK. Not to be changed in place."""
        held = self._held
        if not isinstance(held, Pillow.Image):
            self._held = held = pixels.exported(held) if isinstance(held, Image) else held.unpacked()
        return held

    def give_away(self) -> Pillow.Image | Packed:
        """The pixels as `pillow` or a decoder gives them; the frame holds none from then on until it is `put`
        others."""
        given = self._held if isinstance(self._held, Packed) else self.pillow()
        self._held = _NOTHING
        return given

    def magick(self) -> Image:
        """The frame as an ImageMagick image, to be changed in place."""
        held = self._held
        if not isinstance(held, Image):
            self._held = held = pixels.imported(self.pillow())
        return held

    def copy(self) -> Frame:
        """A frame of the same pixels, which are not copied before one of the two changes."""
        held = self._held
        return Frame(held.clone() if isinstance(held, Image) else held, self.delay)

    @property
    def bytes(self) -> int:
        """Memory that the pixels take: gray one sample and all else 4 of one byte, or of ImageMagick's two."""
        width, height = self.size
        if isinstance(self._held, Packed):
            return len(self._held.samples)
        if isinstance(self._held, Image):
            return width * height * 8
        return width * height * (1 if self._held.mode == "L" else 4)

    def colour(self) -> None:
        """Hold a gray frame as a coloured one."""
        held = self._held
        if not self.gray:
            return
        if isinstance(held, Image):
            held.transform_colorspace("srgb")
        else:
            self._held = self.pillow().convert("RGBA" if self.alpha else "RGB")

    def put(self, held: Held) -> None:
        self._held = held


@dataclass(slots=True)
class Details:
    """What came with the pixels: the profile they are in (None for sRGB), blocks of metadata, the colour space and bits
    a sample as stored, and how often an animation runs, 0 for ever. `hdr` is what the file states of its colour where
    that is of high dynamic range: the pixels are those of `tone_mapping.shaper` then, and there is no profile. `plain`
    is False where the file says by numbers that its colours are not those of sRGB. `silent` is True where the decoder
    tells of flaws, and told of none."""

    icc: bytes | None = None
    exif: bytes | None = None
    iptc: bytes | None = None
    space: str = "srgb"
    depth: int = 8
    plays: int = 0
    hdr: Statement | None = None
    plain: bool = True
    silent: bool = False


@dataclass(slots=True)
class Picture:
    """Frames of equal size.

    `scale` is decoded pixels per pixel of the original (below 1 after a scaled decode). `region` is the part of the
    frames that counts, in decoded pixels: operations that only cut narrow it, and the one resampling reads it.
    `is_divided` says that alpha was multiplied into the colours and divided out again, with 8 bits.
    """

    frames: list[Frame]
    region: Box
    scale: float
    details: Details
    is_divided: bool = False

    @property
    def size(self) -> Size:
        return self.frames[0].size

    def each_pillow(self, change: Callable[[Pillow.Image], Pillow.Image]) -> None:
        for frame in self.frames:
            frame.put(change(frame.pillow()))

    def each_made(self, make: Callable[[Image], Image]) -> None:
        """Replace the frames by what is made of them in ImageMagick."""
        for frame in self.frames:
            frame.put(make(frame.magick()))

    def each_magick(self, change: Callable[[Image], object]) -> None:
        for frame in self.frames:
            change(frame.magick())
