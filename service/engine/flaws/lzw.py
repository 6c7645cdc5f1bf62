"""Count the pixels of a GIF's frame by its LZW codes, without decoding their colours (GIF89a, appendix F)."""

from __future__ import annotations

from collections.abc import Sequence

from service.engine.headers.source import Source

_WIDEST = 12


def sub_blocks(source: Source) -> tuple[list[bytes], bool]:
    """The contents of all sub-blocks, of the last as much as is there, and whether a terminator follows them."""
    data = source.head(source.size)
    found: list[bytes] = []
    at = 0
    while at < len(data):
        size = data[at]
        if not size:
            return found, True
        if content := data[at + 1 : at + 1 + size]:
            found.append(content)
        at += 1 + size
    return found, False


def length(minimum: int, blocks: Sequence[bytes], most: int) -> int:
    """Pixels of the codes in `blocks`, at most `most`; `minimum` is the code size that the frame states."""
    clear = 1 << minimum
    lengths: dict[int, int] = {}
    width, before, count = minimum + 1, 0, 0
    bits = value = 0
    for byte in b"".join(blocks):
        value |= byte << bits
        bits += 8
        while bits >= width:
            code = value & (1 << width) - 1
            value >>= width
            bits -= width
            if code == clear:
                lengths, width, before = {}, minimum + 1, 0
                continue
            if code == clear + 1:
                return count
            own = 1 if code < clear else lengths.get(code, before + 1)
            if before and len(lengths) < (1 << _WIDEST) - clear - 2:
                lengths[clear + 2 + len(lengths)] = before + 1
                if clear + 2 + len(lengths) == 1 << width and width < _WIDEST:
                    width += 1
            before, count = own, count + own
            if count >= most:
                return most
    return count
