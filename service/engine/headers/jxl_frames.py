"""The frames of a JPEG XL (ISO/IEC 18181-1, annex F): their headers, and how many bytes each takes."""

from __future__ import annotations

from service.engine.headers.jxl_entropy import pass_order
from service.engine.headers.jxl_metadata import Metadata
from service.engine.headers.lsb import LowBits
from service.engine.headers.source import Source
from service.engine.job import Undecodable

MORE_FRAMES = 10_000  # than are shown: references, and layers of one frame
MAX_SECTIONS = 1_000_000  # of all frames
_REGULAR, _SMALLER, _REFERENCE, _SKIPPED = range(4)
_USES_SMALLER = 32
_PLACE = ((8, 0), (11, 256), (14, 2304), (30, 18_688))
_SECTION = ((10, 0), (14, 1024), (22, 17_408), (30, 4_211_712))
_HALF = 16
_REPLACE, _BLEND, _WEIGHTED, _MULTIPLY = 0, 2, 3, 4


class Frame:
    """What is needed of a frame's header. `ticks` is how long it is shown, 0 for a layer of the next."""

    __slots__ = ("groups", "is_last", "is_shown", "modular", "passes", "size", "ticks", "upsampling")

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.modular = False
        self.groups = 1  # the size of a group, as a shift of 128
        self.upsampling = 1
        self.passes = 1
        self.ticks = 0
        self.is_last = True
        self.is_shown = True

    @property
    def sections(self) -> int:
        """How many parts its data are made of."""
        side = 128 << self.groups
        width, height = (-(-length // self.upsampling) for length in self.size)
        groups = _covering(width, side) * _covering(height, side)
        large = _covering(width, 8 * side) * _covering(height, 8 * side)
        return 1 if groups == self.passes == 1 else 2 + large + groups * self.passes


def shown(stream: Source, metadata: Metadata) -> list[int]:
    """How long each frame of an animation is shown, in its ticks; of more than the source may have only one more.

    Raises Undecodable.
    """
    found, sections = list[int](), 0
    at, preview = metadata.frames_at, metadata.preview
    for _ in range(stream.most_frames + MORE_FRAMES):
        bits = LowBits(stream, at)
        frame = _frame(bits, metadata, preview)
        sections += frame.sections
        if sections > MAX_SECTIONS:
            raise Undecodable("The JPEG XL is damaged: its frames are made of too many sections")
        at = _end(bits, frame)
        if preview:
            preview = None
            continue
        if frame.is_shown and (frame.ticks or frame.is_last):
            found.append(frame.ticks)
        if frame.is_last or len(found) > stream.most_frames:
            return found
    raise Undecodable("The JPEG XL is damaged: it has more layers than any image")


def first(stream: Source, metadata: Metadata) -> Frame:
    """The first frame of a codestream whose metadata were read `to_frames`. Raises Undecodable."""
    at = metadata.frames_at
    if metadata.preview:
        bits = LowBits(stream, at)
        at = _end(bits, _frame(bits, metadata, metadata.preview))
    return _frame(LowBits(stream, at), metadata, None)


def _frame(bits: LowBits, metadata: Metadata, preview: tuple[int, int] | None) -> Frame:
    """FrameHeader (F.2)."""
    frame = Frame(preview or (metadata.width, metadata.height))
    if bits.flag():
        return frame
    kind = bits.take(2)
    frame.modular = bits.flag()
    flags = bits.long()
    ycbcr = not metadata.xyb and bits.flag()
    if not flags & _USES_SMALLER:
        if ycbcr:
            bits.take(6)
        frame.upsampling = 1 << bits.take(2)
        bits.skip(2 * metadata.channels)
    if frame.modular:
        frame.groups = bits.take(2)
    elif metadata.xyb:
        bits.take(6)
    if kind != _REFERENCE:
        frame.passes = _passes(bits)
    if kind == _SMALLER:
        level = 3 * (1 + bits.take(2))
        frame.size = -(-frame.size[0] >> level), -(-frame.size[1] >> level)
    partial = _place(bits, frame, kind) if kind != _SMALLER else False
    frame.is_shown = kind in (_REGULAR, _SKIPPED)
    mode = _REPLACE
    frame.is_last = False
    if frame.is_shown:
        mode = _blending(bits, metadata, partial)
        for _ in range(metadata.channels):
            _blending(bits, metadata, partial)
        if metadata.ticks and not preview:
            frame.ticks = bits.choice((0, 0), (0, 1), (8, 0), (32, 0))
            if metadata.has_timecodes:
                bits.take(32)
        frame.is_last = bits.flag()
    saved = bits.take(2) if kind != _SMALLER and not frame.is_last else 0
    referenced = not frame.is_last and (not frame.ticks or saved)
    if kind == _REFERENCE or (frame.is_shown and referenced and mode == _REPLACE and not partial):
        bits.flag()  # whether it is saved before its colours are transformed
    _rest(bits, frame)
    return frame


def _passes(bits: LowBits) -> int:
    count = bits.choice((0, 1), (0, 2), (0, 3), (3, 4))
    if count == 1:
        return 1
    smaller = bits.choice((0, 0), (0, 1), (0, 2), (1, 3))
    bits.skip(2 * (count - 1) + 2 * smaller)
    for _ in range(smaller):
        bits.choice((0, 0), (0, 1), (0, 2), (3, 0))
    return count


def _place(bits: LowBits, frame: Frame, kind: int) -> bool:
    """Read a place and size of its own, and return whether it leaves some of the image uncovered."""
    if not bits.flag():
        return False
    left = top = 0
    if kind != _REFERENCE:
        left, top = _signed(bits.choice(*_PLACE)), _signed(bits.choice(*_PLACE))
    whole = frame.size
    frame.size = bits.choice(*_PLACE), bits.choice(*_PLACE)
    if not all(frame.size):
        raise Undecodable("The JPEG XL is damaged: a frame has no pixels")
    return left > 0 or top > 0 or left + frame.size[0] < whole[0] or top + frame.size[1] < whole[1]


def _blending(bits: LowBits, metadata: Metadata, partial: bool) -> int:
    mode = bits.choice((0, 0), (0, 1), (0, 2), (2, 3))
    weighted = metadata.channels > 0 and mode in (_BLEND, _WEIGHTED)
    if weighted:
        bits.choice((0, 0), (0, 1), (0, 2), (3, 3))
    if weighted or mode == _MULTIPLY:
        bits.flag()
    if mode != _REPLACE or partial:
        bits.take(2)
    return mode


def _rest(bits: LowBits, frame: Frame) -> None:
    """The name, the filters and extensions."""
    bits.skip_name()
    if not bits.flag():
        if bits.flag() and bits.flag():
            bits.skip(6 * _HALF)
        if bits.take(2):
            if not frame.modular and bits.flag():
                bits.skip(8 * _HALF)
            if bits.flag():
                bits.skip(5 * _HALF)
            if bits.flag():
                bits.skip((3 if frame.modular else 4) * _HALF)
            if frame.modular:
                bits.skip(_HALF)
        bits.skip_extensions()
    bits.skip_extensions()


def _end(bits: LowBits, frame: Frame) -> int:
    """Where the data of the frame end, by its table of contents (F.3)."""
    if bits.flag():
        pass_order(bits, frame.sections)
    bits.align()
    length = sum(bits.choice(*_SECTION) for _ in range(frame.sections))
    bits.align()
    return bits.byte + length


def _signed(number: int) -> int:
    return -(number >> 1) - 1 if number & 1 else number >> 1


def _covering(length: int, side: int) -> int:
    return -(-length // side)
