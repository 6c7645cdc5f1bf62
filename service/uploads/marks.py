"""The mark of an upload straight to the store, in the metadata of its image.

A client whose answer was lost finishes once more, and gets the answer of the first time as long as the name holds what
was stored then. Nothing else remembers it.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from service.originals.originals import Original, Originals
from service.store.base import StoredObject
from service.store.errors import NotFound

MARK = "upload"
Outcome = Literal["created", "replaced"]


@dataclass(frozen=True, slots=True)
class Before:
    """What an upload has stored before, with the digests of its bytes in hex."""

    original: Original
    outcome: Outcome
    md5: str
    sha256: str


def marked(upload: str, outcome: Outcome) -> dict[str, str]:
    """The metadata of an image that this upload has created, or replaced another by; `upload` is its object's name in
    the incoming container."""
    return {MARK: f"{upload} {outcome}"}


def outcome_of(upload: str, stored: StoredObject | None) -> Outcome | None:
    """What this upload did, if it has stored what is there."""
    found, _, outcome = stored.metadata.get(MARK, "").partition(" ") if stored else ("", "", "")
    if not upload or found != upload:
        return None
    return "replaced" if outcome == "replaced" else "created"


async def stored_before(originals: Originals, name: str, upload: str) -> Before | None:
    """What this upload has stored, if the name still holds it. Raises StoreError, EngineError, OSError."""
    try:
        there = await originals.stat(name, fresh=True)
    except NotFound:
        return None
    if outcome_of(upload, there) is None:
        return None
    original = await originals.get(name)
    with originals.pinned(original):
        outcome = outcome_of(upload, original.stored)
        return Before(original, outcome, *await asyncio.to_thread(_digests, original.path)) if outcome else None


def _digests(path: Path) -> tuple[str, str]:
    """MD5 and SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        file.seek(0)
        return md5, hashlib.file_digest(file, "sha256").hexdigest()
