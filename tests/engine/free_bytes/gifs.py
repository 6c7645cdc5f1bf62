"""GIF: behind the codes, in loops, behind the trailer."""

from __future__ import annotations

from collections.abc import Callable

from tests import images
from tests.engine.free_bytes import LONG


def gif_of(blocks: Callable[[bytes], bytes]) -> bytes:
    """A GIF whose sub-blocks of the first image are others."""
    data = images.gif(64, 48)
    start = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1)) + 11
    return data[:start] + blocks(data[start:-1]) + b";"


def sub_blocks(content: bytes) -> bytes:
    return b"".join(bytes([len(content[i : i + 255])]) + content[i : i + 255] for i in range(0, len(content), 255))


LOOP = b"\x21\xff\x0bNETSCAPE2.0"
GIFS: dict[str, bytes] = {
    "behind the codes": gif_of(lambda blocks: blocks[:-1] + sub_blocks(LONG) + b"\0"),
    "in loops": images.gif_animated(2).replace(LOOP, LOOP + b"\3\1xy\0" + LOOP, 1),
    "behind the trailer": images.gif(64, 48) + LONG,
}
