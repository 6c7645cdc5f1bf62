"""Find the media type of an original from its first bytes, not from its name. Twin of media_types.lua.

A format's row in the vocabulary says how its files begin: `signatures` by what stands where (offset to bytes in hex,
all of one signature at once), `brands` by those of a file type box (ISO/IEC 14496-12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.rules import ORIGINALS

HEAD = 64
"""How many bytes of a file are looked at."""

UNKNOWN = "application/octet-stream"


class _Kind(NamedTuple):
    type: str
    signatures: Sequence[Mapping[int, bytes]]
    brands: frozenset[str]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Kind:
        signatures = [{int(at): bytes.fromhex(text) for at, text in one.items()} for one in row.get("signatures", ())]
        return cls(row["type"], signatures, frozenset(row.get("brands", ())))


_KINDS = tuple(_Kind.of(row) for row in ORIGINALS.values())


def media_type(head: bytes) -> str:
    """The media type of a file that begins with `head`, at most HEAD bytes; UNKNOWN where it is none of the formats."""
    brands = _brands(head)
    for kind in _KINDS:
        if not kind.brands.isdisjoint(brands) or any(_matches(head, one) for one in kind.signatures):
            return kind.type
    return UNKNOWN


def _matches(head: bytes, signature: Mapping[int, bytes]) -> bool:
    return all(head.startswith(text, at) for at, text in signature.items())


def _brands(head: bytes) -> set[str]:
    if head[4:8] != b"ftyp":
        return set()
    box = head[: min(int.from_bytes(head[:4], "big"), HEAD)]
    return {box[place : place + 4].decode("latin-1") for place in (8, *range(16, len(box), 4))}
