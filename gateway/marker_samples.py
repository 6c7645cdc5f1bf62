"""Generate random texts of markers and notes, most of them damaged, to compare the twins of marker."""

from __future__ import annotations

import random
from collections.abc import Iterator

_WHOLE = (
    "jpg jpg 0d1f2a3b4c5d6e7f8091a2b3c4d5e6f7 640 480 1\n1700000000\n",
    "gif gif 6579d2c1f0e00-1f4 333 77 9\n-5\n",
    "png tif e 999999999999999 007 0\n0\n",
    "webp webp 5 20 10 1\n1700000000 1900000000\n",
    "avif=jpg webp=webp png=png\n",
    "webp=webp\n",
    "",
)
_SCRAPS = ("", " ", "  ", "\n", "\r\n", "\t", "\0", "=", "==", "-", "+", ".", "_", "0", "1234567890123456", "0x1",
           "1e3", "A", "é", "\u0663", "\x1c", "\x85", "\xa0", "\udcff", "jp2", "avif=png", "\x7f")  # fmt: skip


def texts(count: int, seed: int) -> Iterator[str]:
    """Texts, bytes as surrogates where they are not UTF-8."""
    by_chance = random.Random(seed)  # noqa: S311  # samples, no secrets
    for _ in range(count):
        text = by_chance.choice(_WHOLE)
        for _ in range(by_chance.randrange(3)):
            start = by_chance.randint(0, len(text))
            text = text[:start] + by_chance.choice(_SCRAPS) + text[start + by_chance.randrange(3) :]
        yield text
