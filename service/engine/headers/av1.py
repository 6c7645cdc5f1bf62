"""AV1: size and colour in a sequence header (AV1 Bitstream & Decoding Process Specification, 5.5), which decoders go
by."""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.bits import Bits

_SEQUENCE_HEADER = 1
_UNITS = 32  # that are looked at: a sequence header is the first but for a delimiter
_LONGEST = 512  # bytes of a sequence header with all its operating points


def size(data: bytes) -> tuple[int, int]:
    """The largest width and height of pictures that any sequence header in the beginning of a stream allows; 0, 0 where
    there is none."""
    width = height = 0
    for bits in _sequences(data):
        _, _, across, down = sequence(bits)
        width, height = max(width, across), max(height, down)
    return width, height


def colour(data: bytes) -> tuple[int, int, int, bool] | None:
    """Primaries, transfer function and matrix by ITU-T H.273, and whether the range is full, of the first sequence
    header (5.5.2); None where there is none. 2 is unspecified."""
    bits = next(_sequences(data), None)
    if bits is None:
        return None
    profile, reduced, _, _ = sequence(bits)
    tools(bits, reduced)
    deep = bits.take(1)  # high_bitdepth
    if profile == 2 and deep:
        bits.take(1)  # twelve_bit
    if profile != 1:
        bits.take(1)  # mono_chrome
    primaries, transfer, matrix = (bits.take(8), bits.take(8), bits.take(8)) if bits.take(1) else (2, 2, 2)
    rgb = (primaries, transfer, matrix) == (1, 13, 0)
    return primaries, transfer, matrix, rgb or bits.take(1) == 1


def _sequences(data: bytes) -> Iterator[Bits]:
    offset = 0
    for _ in range(_UNITS):
        if offset >= len(data):
            break
        first = data[offset]
        offset += 2 if first & 4 else 1  # an extension
        length = len(data)
        if first & 2:
            length, offset = _leb128(data, offset)
        if first >> 3 & 15 == _SEQUENCE_HEADER:
            yield Bits(data[offset : offset + min(length, _LONGEST)])
        offset += length


def _leb128(data: bytes, offset: int) -> tuple[int, int]:
    """A number of seven bits a byte (4.10.5), and where it ends."""
    number = 0
    for place, byte in enumerate(data[offset : offset + 8]):
        number |= (byte & 127) << 7 * place
        if not byte & 128:
            return number, offset + place + 1
    return number, offset + 8


def sequence(bits: Bits) -> tuple[int, bool, int, int]:
    """Profile, whether the header is the short one of stills, largest width and height."""
    profile = bits.take(3)
    bits.take(1)  # still_picture
    reduced = bits.take(1) == 1
    if reduced:
        bits.take(5)
    else:
        _operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return profile, reduced, bits.take(width_bits) + 1, bits.take(height_bits) + 1


def tools(bits: Bits, reduced: bool) -> None:
    """What stands between the size and the colour."""
    if not reduced and bits.take(1):  # frame_id_numbers_present_flag
        bits.take(7)
    bits.take(3)  # use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    if not reduced:
        bits.take(4)
        order = bits.take(1)  # enable_order_hint
        bits.take(2 * order)
        forced = 2 if bits.take(1) else bits.take(1)  # seq_force_screen_content_tools
        if forced and not bits.take(1):
            bits.take(1)  # seq_force_integer_mv
        bits.take(3 * order)
    bits.take(3)  # enable_superres, enable_cdef, enable_restoration


def _operating_points(bits: Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing_info_present_flag
        bits.take(64)
        if bits.take(1):  # equal_picture_interval: a number in as many bits as there are zeros before it
            zeros = 0
            while zeros < 32 and not bits.take(1):
                zeros += 1
            bits.take(zeros)
        if bits.take(1):  # decoder_model_info_present_flag
            delay_bits = bits.take(5) + 1
            bits.take(42)
    delays = bits.take(1)  # initial_display_delay_present_flag
    for _ in range(bits.take(5) + 1):
        bits.take(12)  # operating_point_idc
        if bits.take(5) > 7:  # seq_level_idx
            bits.take(1)
        if delay_bits and bits.take(1):  # decoder_model_present_for_this_op
            bits.take(2 * delay_bits + 1)
        if delays and bits.take(1):  # initial_display_delay_present_for_this_op
            bits.take(4)
