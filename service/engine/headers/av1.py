"""AV1: the size in a sequence header (AV1 Bitstream & Decoding Process Specification, 5.5), which a decoder goes by."""

from __future__ import annotations

from service.engine.headers.bits import Bits

_SEQUENCE_HEADER = 1
_UNITS = 32  # that are looked at: a sequence header is the first but for a delimiter
_LONGEST = 512  # bytes of a sequence header with all its operating points


def size(data: bytes) -> tuple[int, int]:
    """The largest width and height of pictures that any sequence header in the beginning of a stream allows; 0, 0 where
    there is none."""
    offset, width, height = 0, 0, 0
    for _ in range(_UNITS):
        if offset >= len(data):
            break
        first = data[offset]
        offset += 2 if first & 4 else 1  # an extension
        length = len(data)
        if first & 2:
            length, offset = _leb128(data, offset)
        if first >> 3 & 15 == _SEQUENCE_HEADER:
            across, down = _sequence(Bits(data[offset : offset + min(length, _LONGEST)]))
            width, height = max(width, across), max(height, down)
        offset += length
    return width, height


def _leb128(data: bytes, offset: int) -> tuple[int, int]:
    """A number of seven bits a byte (4.10.5), and where it ends."""
    number = 0
    for place, byte in enumerate(data[offset : offset + 8]):
        number |= (byte & 127) << 7 * place
        if not byte & 128:
            return number, offset + place + 1
    return number, offset + 8


def _sequence(bits: Bits) -> tuple[int, int]:
    bits.take(4)  # seq_profile, still_picture
    if bits.take(1):  # reduced_still_picture_header
        bits.take(5)
    else:
        _operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


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
