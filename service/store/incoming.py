"""The interface of the incoming container: clients PUT uploads there by temporary URLs, and the service takes them.

An object is named `EXPIRES-BYTES-RANDOM`. EXPIRES is the end of its URL in seconds since the epoch, in ten digits, so
that a listing begins with what has expired; RANDOM cannot be guessed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

COPY = 3600
"""Seconds after which a copy counts as left behind; no finishing takes as long."""

_NAME = re.compile(r"([0-9]{10})-([0-9]{1,15})-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class PutUrl:
    """A URL that lets anyone PUT one object until `expires` (seconds since the epoch), with these headers. One that
    begins with a slash is on the API port."""

    url: str
    expires: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of the incoming container: `copy_of` names the copy for `NewObject.copy_of`, empty where there is
    none; `md5`, in hex, is what the store says of it, and `sha256`, in hex, is of the bytes as they were read. Both are
    empty where the store computes none."""

    copy_of: str = ""
    md5: str = ""
    sha256: str = ""


class Landing(Protocol):
    """The part of an incoming container whose URLs the API port answers itself."""

    async def admit(self, path: str, query: str, now: float) -> str:
        """The name that a raw path and query let a client PUT. Raises the contract's Refused, NoTemporaryUrls."""

    def receiving(self, name: str, size: int) -> AbstractAsyncContextManager[Path]:
        """A path for `size` bytes. They get the name when the context ends well, else they are gone. Raises
        IncomingFull, StoreFull, Unavailable."""


class IncomingContainer(Protocol):
    """Objects that clients have PUT and nothing has verified. Every method raises Unavailable when the store cannot be
    reached."""

    @property
    def landing(self) -> Landing | None:
        """None where the store itself answers the URLs."""

    async def keys(self, *, anew: bool = False) -> Sequence[str]:
        """The keys of temporary URLs that are valid on every node, as far as this one knows, or, with `anew`, as the
        store says now; the first signs. Raises NoTemporaryUrls."""

    async def put_url(self, name: str, expires: int) -> PutUrl:
        """A URL to PUT an object of this name. Raises NoTemporaryUrls."""

    async def take(self, name: str, size: int, target: Path) -> Taken:
        """Write to `target` the bytes of an object of `size` bytes, as they are at this moment: what a client PUTs
        later changes neither them nor the copy. No URL was ever given for the copy.

        Raises NotArrived, NotAsAnnounced, IncomingFull, Corrupt. After a failure `target` does not exist.
        """

    async def discard(self, names: Sequence[str]) -> None:
        """Remove those of the objects and copies that are there, now or soon; they can be taken no more. A remote store
        only begins with it, and what it cannot remove is left for `sweep`."""

    async def sweep(self, now: float) -> int:
        """Remove what expired before `now` (seconds since the epoch); return how many objects that were."""


def new_name(expires: int, size: int) -> str:
    """The name of an object, which cannot be guessed."""
    return f"{expires:010}-{size}-{secrets.token_hex(16)}"


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def expiry_of(name: str) -> int:
    """The end that a name tells. A name that is not of this form never ends: it belongs to others."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else 10**10


def size_of(name: str) -> int:
    """The bytes that the object of this name may have."""
    found = _NAME.fullmatch(name)
    return int(found[2]) if found else 0
