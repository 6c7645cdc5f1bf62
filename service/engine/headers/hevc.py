"""HEVC: the size in the sequence parameter sets of `hvcC`, which a decoder goes by.

ISO/IEC 14496-15, 8.3.3.1 has the box, ITU-T H.265, 7.3.2.2 and 7.3.3 the sets.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.bits import Bits

PADDING = 128  # pixels that pictures may exceed what is said of them by: encoders fill whole blocks of 64
_SEQUENCE, _PROFILE, _LEVEL = 33, 88, 8
_SETS = 64  # that are looked at


def size(content: bytes) -> tuple[int, int]:
    """The largest width and height of any sequence parameter set in the content of `hvcC`; 0, 0 where none is there."""
    sizes = [_size(unit) for unit in _sequences(content)]
    return max((width for width, _ in sizes), default=0), max((height for _, height in sizes), default=0)


def _sequences(content: bytes) -> Iterator[bytes]:
    arrays, offset = content[22:23], 23
    for _ in range(arrays[0] if arrays else 0):
        kind, count = content[offset : offset + 1], int.from_bytes(content[offset + 1 : offset + 3])
        offset += 3
        for _ in range(min(count, _SETS)):
            length = int.from_bytes(content[offset : offset + 2])
            if kind and kind[0] & 63 == _SEQUENCE:
                yield content[offset + 2 : offset + 2 + length]
            offset += 2 + length


def _size(unit: bytes) -> tuple[int, int]:
    bits = Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))  # without the header, and what keeps start codes apart
    bits.take(4)  # sps_video_parameter_set_id
    layers = bits.take(3)  # sps_max_sub_layers_minus1
    bits.take(1)
    bits.take(_PROFILE + _LEVEL)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    for profile, level in present:
        bits.take(profile * _PROFILE + level * _LEVEL)
    bits.golomb()  # sps_seq_parameter_set_id
    if bits.golomb() == 3:  # chroma_format_idc
        bits.take(1)
    return bits.golomb(), bits.golomb()
