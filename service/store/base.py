"""The interface of a store: two containers of named objects.

The service passes only names that `gateway.names` accepts. A store never blocks the event loop. `errors` has its
exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from service.store.errors import Exists, PreconditionFailed
from service.store.incoming import IncomingContainer


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as a store lists it.

    `etag` is unquoted and opaque: it changes whenever the content is replaced, and has no other meaning. `modified` is
    in seconds since the epoch, UTC. `metadata` holds the user metadata given to `put`, keys in lower case; listings
    leave it empty. `ends` is when the store deletes it, in seconds since the epoch; None for never, and in listings.
    """

    name: str
    bytes: int
    etag: str
    modified: float
    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, in the byte order of the names. `marker` continues it, None when it is the last."""

    objects: Sequence[StoredObject]
    folders: Sequence[str]
    marker: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How many bytes a container holds, in how many objects; or how much more or less."""

    bytes: int
    images: int

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.bytes + other.bytes, self.images + other.images)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.bytes - other.bytes, self.images - other.images)


@dataclass(frozen=True, slots=True)
class TemporaryUrl:
    """A URL that lets anyone GET one object until `expires` (seconds since the epoch)."""

    url: str
    expires: int


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long temporary URLs are valid, in seconds: by default, and at most."""

    default: float = 3600.0
    longest: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Observation:
    """A finding about the option `where`, and what to do about it. `wrong` means that a start would fail or mislead."""

    where: str
    text: str
    wrong: bool = True


BreakerState = Literal["closed", "probing", "open"]
"""Closed: calls go to the store. Probing: one call tests it. Open: calls fail at once."""


class Breaker(Protocol):
    """A circuit breaker before a store. `opened` counts how often it has opened."""

    @property
    def state(self) -> BreakerState: ...

    @property
    def opened(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be true of an object before it is replaced or deleted. ETags are unquoted; `*` stands for any.

    Without `replace` the name must be free. The object's ETag must be in `if_match`, if that is given, and not in
    `if_none_match`. This is no lock between nodes.
    """

    replace: bool = True
    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] = frozenset()

    @property
    def is_always_true(self) -> bool:
        return self.replace and not self.names_etags

    @property
    def names_etags(self) -> bool:
        return self.if_match is not None or bool(self.if_none_match)

    def check(self, present: StoredObject | None) -> None:
        """Raise Exists or PreconditionFailed unless `present` meets it; None if the name is free."""
        held = {"*", present.etag} if present else set()
        if self.if_match is not None and not held & self.if_match:
            raise PreconditionFailed("the image is not the one that If-Match names")
        if held & self.if_none_match:
            raise PreconditionFailed("there is an image of this name, which If-None-Match excludes")
        if present and not self.replace:
            raise Exists(f"{present.name!r} is there already")


UNCONDITIONAL = Precondition()


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object for a store to take: the bytes of the file `source`, or those given as `source`. Their MD5 in hex is
    `md5`.

    With `sha256`, in hex too, a store that hashes the bytes itself may compare that, which is faster on most machines.
    `delete_after` is in seconds, `ends` in seconds since the epoch; the earlier one holds, and a store without expiry
    ignores both. `copy_of` names an object that holds these bytes in the incoming container: a store that can copy
    takes them from there, and nothing is sent. `checked` says that the caller has just compared the precondition with
    what is there, or leaves a name that must be free to a store that refuses a taken one: such a store asks no more.
    """

    name: str
    source: Path | bytes
    content_type: str
    md5: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    precondition: Precondition = UNCONDITIONAL
    delete_after: int | None = None
    ends: int | None = None
    sha256: str = ""
    copy_of: str = ""
    checked: bool = False

    def opened(self) -> BinaryIO:
        """Its bytes, to be read. Raises OSError."""
        return BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


class Container(Protocol):
    """A flat set of named objects. Every method raises `Unavailable` when the store cannot be reached."""

    async def stat(self, name: str, *, newest: bool = False) -> StoredObject:
        """What is stored under `name`; of several replicas the `newest` one. Raises NotFound."""

    async def fetch(self, name: str, target: Path, *, newest: bool = False) -> StoredObject:
        """Write the object's bytes to `target` (made or overwritten), complete and verified, or raise; of several
        replicas those of the `newest`.

        Raises NotFound, Corrupt. On any failure, cancellation included, `target` does not exist afterwards.
        """

    async def put(self, new: NewObject) -> StoredObject:
        """Store an object; when this returns, it is there, whole.

        Raises Exists, PreconditionFailed, Unholdable, Corrupt, StoreFull. After a failure nothing new is stored.
        """

    async def delete(self, name: str, precondition: Precondition = UNCONDITIONAL) -> None:
        """Remove the object. Raises NotFound, PreconditionFailed."""

    async def delete_all(self, names: Sequence[str]) -> int:
        """Remove those of the objects that are there, several at once where that helps; return how many were.

        Raises Unavailable after all were tried.
        """

    async def list(
        self, *, prefix: str = "", delimiter: str = "", marker: str = "", limit: int = 1000, typed: bool = False
    ) -> Page:
        """At most `limit` names after `marker` that begin with `prefix`, folded at `delimiter` into folders.

        With `typed` the content type of an object that was stored without one is read from its first bytes; else it may
        be `application/octet-stream`, which costs nothing.
        """

    async def usage(self) -> Usage:
        """How much it holds, by its own count; that of Swift may lag."""

    async def temporary_url(
        self, name: str, *, lifetime: float, filename: str | None = None, inline: bool = False
    ) -> TemporaryUrl:
        """A URL to an object that is there already. Raises NoTemporaryUrls."""


class Store(Protocol):
    """Containers for originals and for derived images, and the properties that the rest of the service needs.

    Nothing outside this package depends on the kind of a store.
    """

    @property
    def originals(self) -> Container: ...

    @property
    def derived(self) -> Container: ...

    @property
    def journal(self) -> Container | None:
        """The container in which nodes tell each other of changes; None where the store has none."""

    @property
    def outbox(self) -> Container | None:
        """The container of messages to other services; None where the store has none."""

    @property
    def incoming(self) -> IncomingContainer | None:
        """Where clients PUT uploads by temporary URLs; None where the configuration names no place for them."""

    def now(self) -> float | None:
        """The time of the store's clock, in seconds since the epoch; None before its first answer."""

    @property
    def temporary_urls(self) -> Lifetimes:
        """The lifetimes of its temporary URLs."""

    @property
    def redirect_from(self) -> int:
        """Bytes from which on an image is answered by a redirect to a temporary URL of it; 0 for never."""

    @property
    def breaker(self) -> Breaker | None:
        """Its circuit breaker; None where there is none."""

    @property
    def remote(self) -> bool:
        """Whether it is a service of its own, reached over HTTP. Then other nodes find there what this one stores, and
        it outlives this node's disk."""

    @property
    def folders(self) -> Mapping[str, Path]:
        """The folders on this machine that it keeps objects in, by the option that names each."""

    async def inspect(self, report: Callable[[Observation], None]) -> None:
        """Calls `report` with what an operator should know before a start. The store need not be started, and no folder
        is made. Raises StoreError when the store cannot be used."""

    async def mend(self, report: Callable[[Observation], None]) -> None:
        """Set what `inspect` reports and this store can set by itself, and report what was set. Raises StoreError."""

    async def start(self) -> None:
        """Connect, and make what is missing (the derived container, its key). Raises StoreError."""

    async def close(self) -> None:
        """Close connections and end threads."""
