"""HEVC: size and colour in the sequence parameter sets of `hvcC`, which a decoder goes by.

ISO/IEC 14496-15, 8.3.3.1 has the box, ITU-T H.265, 7.3.2.2, 7.3.3, 7.3.4, 7.3.7 and E.2.1 the sets.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.bits import Bits

PADDING = 128  # pixels that pictures may exceed what is said of them by: encoders fill whole blocks of 64
_SEQUENCE, _PROFILE, _LEVEL = 33, 88, 8
_SETS = 64  # that are looked at
_LONGEST = 4096  # bytes of a set: scaling lists take 2 KB
_REFERENCES = 16  # pictures before and after one that it may refer to
_EXTENDED_ASPECT = 255


def size(content: bytes) -> tuple[int, int]:
    """The largest width and height of any sequence parameter set in the content of `hvcC`; 0, 0 where none is there."""
    sizes = [_size(unit) for unit in _sequences(content)]
    return max((width for width, _ in sizes), default=0), max((height for _, height in sizes), default=0)


def colour(content: bytes) -> tuple[int, int, int, bool] | None:
    """Return primaries, transfer function and matrix by ITU-T H.273, and whether the range is full, of the first
    sequence parameter set in the content of `hvcC`; None where none says them. 2 is unspecified."""
    unit = next(_sequences(content), None)
    if unit is None:
        return None
    bits = _bits(unit)
    layers = _layers(bits)
    _picture(bits)
    _tools(bits, layers)
    return _usability(bits) if bits.take(1) else None  # vui_parameters_present_flag


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
    bits = _bits(unit)
    _layers(bits)
    return _picture(bits)


def _bits(unit: bytes) -> Bits:
    return Bits(unit[2:_LONGEST].replace(b"\0\0\3", b"\0\0"))  # without the header, and what keeps start codes apart


def _layers(bits: Bits) -> int:
    """What stands before the picture's format; return sps_max_sub_layers_minus1."""
    bits.take(4)  # sps_video_parameter_set_id
    layers = bits.take(3)
    bits.take(1)
    bits.take(_PROFILE + _LEVEL)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    bits.take(2 * (8 - layers) if layers else 0)
    for profile, level in present:
        bits.take(profile * _PROFILE + level * _LEVEL)
    return layers


def _picture(bits: Bits) -> tuple[int, int]:
    """Width and height."""
    bits.golomb()  # sps_seq_parameter_set_id
    if bits.golomb() == 3:  # chroma_format_idc
        bits.take(1)
    return bits.golomb(), bits.golomb()


def _tools(bits: Bits, layers: int) -> None:
    """What stands between the size and the flag of video usability information."""
    if bits.take(1):  # conformance_window_flag
        _numbers(bits, 4)
    _numbers(bits, 2)  # the depths of luma and chroma
    order_bits = bits.golomb() + 4
    _numbers(bits, 3 * (layers + 1 if bits.take(1) else 1))  # sps_sub_layer_ordering_info_present_flag
    _numbers(bits, 6)  # the sizes of blocks
    if bits.take(1) and bits.take(1):  # scaling lists are enabled, and are here
        _scaling_lists(bits)
    bits.take(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.take(1):  # pcm_enabled_flag
        bits.take(8)
        _numbers(bits, 2)
        bits.take(1)
    _short_term_references(bits)
    if bits.take(1):  # long_term_ref_pics_present_flag
        bits.take((min(order_bits, 16) + 1) * min(bits.golomb(), 2 * _REFERENCES))
    bits.take(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag


def _numbers(bits: Bits, count: int) -> None:
    for _ in range(count):
        bits.golomb()


def _scaling_lists(bits: Bits) -> None:
    """7.3.4: six lists of each of three sizes of blocks, two of the largest."""
    for size, lists in enumerate((6, 6, 6, 2)):
        for _ in range(lists):
            if bits.take(1):  # scaling_list_pred_mode_flag
                _numbers(bits, min(64, 16 << 2 * size) + (size > 1))
            else:
                bits.golomb()


def _short_term_references(bits: Bits) -> None:
    """7.3.7: sets of distances to other pictures, each by itself or by those of the set before it (7-61, 7-62)."""
    distances: list[int] = []
    for index in range(min(bits.golomb(), _SETS)):
        if index and bits.take(1):  # inter_ref_pic_set_prediction_flag
            sign, step = bits.take(1), bits.golomb() + 1
            shift = -step if sign else step
            taken = [bits.take(1) or bits.take(1) for _ in range(len(distances) + 1)]
            moved = {far + shift for far, one in zip([*distances, 0], taken, strict=True) if one} - {0}
            distances = sorted((far for far in moved if far < 0), reverse=True) + sorted(f for f in moved if f > 0)
        else:
            before, after = (min(bits.golomb(), _REFERENCES) for _ in range(2))
            distances = _distances(bits, before, -1) + _distances(bits, after, 1)


def _distances(bits: Bits, count: int, sign: int) -> list[int]:
    far, found = 0, []
    for _ in range(count):
        far += bits.golomb() + 1
        bits.take(1)  # whether the picture itself uses it
        found.append(sign * far)
    return found


def _usability(bits: Bits) -> tuple[int, int, int, bool] | None:
    """The beginning of E.2.1, to matrix_coeffs."""
    if bits.take(1) and bits.take(8) == _EXTENDED_ASPECT:  # aspect_ratio_info_present_flag
        bits.take(32)
    if bits.take(1):  # overscan_info_present_flag
        bits.take(1)
    if not bits.take(1):  # video_signal_type_present_flag
        return None
    bits.take(3)  # video_format
    full = bits.take(1) == 1
    numbers = (bits.take(8), bits.take(8), bits.take(8)) if bits.take(1) else (2, 2, 2)
    return *numbers, full
