"""What a JPEG XL codestream begins with: size, depth, channels and colour (ISO/IEC 18181-1, annex D)."""

from __future__ import annotations

from dataclasses import dataclass

from service.engine.headers import jxl_boxes
from service.engine.headers.jxl_entropy import pass_profile
from service.engine.headers.lsb import LowBits
from service.engine.headers.source import Source
from service.engine.job import Undecodable

_SIDE = ((9, 1), (13, 1), (18, 1), (30, 1))
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_XY = ((19, 0), (19, 524_288), (20, 1_048_576), (21, 2_097_152))
_HALF = 16  # bits of F16

ALPHA, _SPOT, _BLACK, _FILTER = 0, 2, 4, 5
"""Types of extra channels (D.3.6)."""

_GRAY, _XYB = 1, 2
_CUSTOM = 2
MAX_CHANNELS = 256  # extra ones; level 10 of the standard allows no more


@dataclass(slots=True)
class Metadata:
    """What a codestream says of itself. `ticks` are those of a second of an animation, as a fraction; `frames_at` is
    where the first frame begins, as far as it was read to there."""

    width: int
    height: int
    orientation: int = 1
    preview: tuple[int, int] | None = None
    ticks: tuple[int, int] | None = None
    loops: int = 0
    has_timecodes: bool = False
    bits: int = 8
    floating: bool = False
    channels: int = 0
    alpha: bool = False
    xyb: bool = True
    profile: bool = False
    gray: bool = False
    frames_at: int = 0


def metadata(stream: Source, *, to_frames: bool = False) -> Metadata:
    """What the codestream begins with, for an animation or with `to_frames` up to its frames. Raises Undecodable."""
    if stream.head(2) != jxl_boxes.BARE:
        raise Undecodable("The JPEG XL is damaged: its codestream has no signature")
    bits = LowBits(stream, 2)
    found = Metadata(*_size(bits))
    if not bits.flag():
        _said(bits, found)
    _transform(bits, found)
    if found.ticks or to_frames:
        if found.profile:
            pass_profile(bits)
        bits.align()
        found.frames_at = bits.byte
    return found


def _size(bits: LowBits) -> tuple[int, int]:
    small = bits.flag()
    height = 8 * (1 + bits.take(5)) if small else bits.choice(*_SIDE)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return 8 * (1 + bits.take(5)) if small else bits.choice(*_SIDE), height


def _said(bits: LowBits, found: Metadata) -> None:
    """ImageMetadata that is not all default (D.3)."""
    more = bits.flag()
    if more:
        found.orientation = 1 + bits.take(3)
        if bits.flag():  # an intrinsic size, which browsers do not heed
            _size(bits)
        found.preview = _preview(bits) if bits.flag() else None
        if bits.flag():
            found.ticks = (
                bits.choice((0, 100), (0, 1000), (10, 1), (30, 1)),
                bits.choice((0, 1), (0, 1001), (8, 1), (10, 1)),
            )
            found.loops = bits.choice((0, 0), (3, 0), (16, 0), (32, 0))
            found.has_timecodes = bits.flag()
    found.bits, found.floating = _depth(bits)
    bits.flag()  # whether 16 bits suffice for buffers
    found.channels = bits.choice((0, 0), (0, 1), (4, 2), (12, 1))
    if found.channels > MAX_CHANNELS:
        raise Undecodable(f"The JPEG XL is damaged: it has {found.channels} extra channels")
    for _ in range(found.channels):
        found.alpha |= _channel(bits) == ALPHA
    found.xyb = bits.flag()
    _colour(bits, found)
    if more and not bits.flag():  # tone mapping
        bits.skip(3 * _HALF + 1)
    bits.skip_extensions()


def _preview(bits: LowBits) -> tuple[int, int]:
    eighths = bits.flag()
    choices = ((0, 16), (0, 32), (5, 1), (9, 33)) if eighths else ((6, 1), (8, 65), (10, 321), (12, 1345))
    factor = 8 if eighths else 1
    height = factor * bits.choice(*choices)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return factor * bits.choice(*choices), height


def _depth(bits: LowBits) -> tuple[int, bool]:
    if bits.flag():
        depth = bits.choice((0, 32), (0, 16), (0, 24), (6, 1))
        bits.take(4)
        return depth, True
    return bits.choice((0, 8), (0, 10), (0, 12), (6, 1)), False


def _channel(bits: LowBits) -> int:
    """The type of an extra channel."""
    if bits.flag():
        return ALPHA
    kind = bits.word()
    if kind == _BLACK:  # which libjxl leaves out of the pixels
        raise Undecodable("The JPEG XL is of a kind that is not taken: it is in CMYK")
    _depth(bits)
    bits.choice((0, 0), (0, 3), (0, 4), (3, 1))  # how much smaller it is stored
    bits.skip_name()
    if kind == ALPHA:
        bits.flag()  # whether colours are multiplied by it
    if kind == _SPOT:
        bits.skip(4 * _HALF)
    if kind == _FILTER:
        bits.choice((0, 1), (2, 0), (4, 3), (8, 19))
    return kind


def _colour(bits: LowBits, found: Metadata) -> None:
    """ColourEncoding (D.3.5). What it says, libjxl hands over with the pixels."""
    if bits.flag():
        return
    found.profile = bits.flag()
    space = bits.word()
    found.gray = space == _GRAY
    if found.profile:
        return
    if space != _XYB:
        if bits.word() == _CUSTOM:
            _points(bits, 1)
        if space != _GRAY and bits.word() == _CUSTOM:
            _points(bits, 3)
        if bits.flag():  # a gamma
            bits.take(24)
        else:
            bits.word()
    bits.word()  # the rendering intent


def _points(bits: LowBits, count: int) -> None:
    for _ in range(2 * count):
        bits.choice(*_XY)


def _transform(bits: LowBits, found: Metadata) -> None:
    """CustomTransformData: matrices and weights of upsampling that decoders need."""
    if bits.flag():
        return
    if found.xyb and not bits.flag():
        bits.skip(16 * _HALF)
    mask = bits.take(3)
    for i, weights in enumerate((15, 55, 210)):
        if mask >> i & 1:
            bits.skip(weights * _HALF)
