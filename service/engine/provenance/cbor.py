"""Decode CBOR (RFC 8949), as far as the claims and assertions of C2PA need it, with a bound on the work."""

from __future__ import annotations

from typing import Any

DEEPEST = 16
"""Arrays, maps and tags inside one another."""
MOST = 20_000
"""Data items of a document."""

_BREAK = object()
_INDEFINITE = 31
_SIMPLE = {20: False, 21: True}


def decoded(data: bytes) -> Any:
    """Return the first data item of `data`: dict, list, str, bytes, int, bool or None.

    Tags are passed over. Of a map the keys that are texts stay, of floating and other simple values nothing (None).
    Raises ValueError for damage, and beyond DEEPEST and MOST.
    """
    return _Reader(data).item(0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.left = data, 0, MOST

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ValueError("the CBOR ends too soon")
        self.at += count
        return self.data[self.at - count : self.at]

    def item(self, depth: int, *, may_break: bool = False) -> Any:
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise ValueError("the CBOR has too many items, or too many inside one another")
        first = self.take(1)[0]
        major, information = first >> 5, first & 31
        if first == 0xFF and may_break:
            return _BREAK
        if information == _INDEFINITE and major in (2, 3, 4, 5):
            return self.indefinite(major, depth)
        return self.definite(major, self.argument(information), depth)

    def definite(self, major: int, number: int, depth: int) -> Any:
        if major in (0, 1):
            return number if major == 0 else -1 - number
        if major in (2, 3):
            held = self.take(number)
            return held if major == 2 else held.decode("utf-8", "replace")
        if major in (4, 5):
            if number > self.left:
                raise ValueError("the CBOR has too many items")
            parts = [self.item(depth + 1) for _ in range(number * (major - 3))]
            return parts if major == 4 else _mapping(parts)
        return self.item(depth + 1) if major == 6 else _SIMPLE.get(number)

    def argument(self, information: int) -> int:
        if information < 24:
            return information
        if information > 27:
            raise ValueError("the CBOR has a malformed item")
        return int.from_bytes(self.take(1 << information - 24))

    def indefinite(self, major: int, depth: int) -> Any:
        parts: list[Any] = []
        while (part := self.item(depth + 1, may_break=True)) is not _BREAK:
            parts.append(part)
        if major in (4, 5):
            return parts if major == 4 else _mapping(parts)
        kind = bytes if major == 2 else str
        if not all(isinstance(part, kind) for part in parts):
            raise ValueError("the CBOR has a string of other parts")
        return kind().join(parts)


def _mapping(parts: list[Any]) -> dict[str, Any]:
    return {key: value for key, value in zip(parts[::2], parts[1::2], strict=False) if isinstance(key, str)}
