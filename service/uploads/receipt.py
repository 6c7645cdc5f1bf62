"""What a takedown has removed on this node and in the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenDown:
    """`original` says whether the store had one; `files` are derived images and copies of originals on this node's
    disk, `objects` those of the derived container. `entry` is that of the journal, None where there is none yet."""

    original: bool
    files: int
    objects: int
    entry: str | None
