"""The names of the journal's objects, `TIME/NODE-RANDOM/KIND/ETAG/STORE-TIME/NAME`, and how they are read.

TIME is in seconds since the epoch by the store's clock, with as many digits before the point in every name, so that the
byte order of the names is the order of time. ETAG and STORE-TIME are those of the original after the change; `-` and 0
where there is none, or where the outcome of a write is not known. NAME is percent-encoded; it is `@` where the object
of the entry has it, since it is too long or no segment of a path.

One object may bear several entries, all of one time and one node. Its name goes on with `/KIND/ETAG/STORE-TIME/NAME`
for each of them, in their order, up to the longest name that Swift takes. None of these names is `@`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote, unquote

Kind = Literal["put", "delete", "purge", "purge-prefix", "purge-all"]
NONE = "-"  # in place of an ETag
ANY_NODE = "0"  # of an entry that all nodes heed, also the one that has written it
INSIDE = "@"  # in place of a name that the object holds
LONGEST = 1024  # bytes of an object's name in Swift
RANDOM = 16  # digits of hex that tell apart the objects which a node writes

_CHANGE = rf"/({'|'.join(get_args(Kind))})/([^/]+)/([0-9]+)/([^/]+)"
_CHANGES = re.compile(_CHANGE)
_OBJECT = re.compile(
    rf"(?P<time>[0-9]{{10}}\.[0-9]{{6}})/(?P<node>[0-9a-f]+)-(?P<random>[0-9a-f]+)(?P<changes>(?:{_CHANGE})+)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A change: of the image `name`, of all whose names begin with it (purge-prefix), or of all (purge-all).

    `modified` is the second since the epoch when the original was stored. `name` is None while only the
    object says it. Without `is_known` the change may have been made or not; the entry's name does not say it.
    """

    kind: Kind
    name: str | None
    etag: str = NONE
    modified: int = 0
    time: float = 0.0
    node: str = ""
    is_known: bool = True

    @property
    def tells_original(self) -> bool:
        """Whether it says which original the store holds now."""
        return self.kind == "put" and self.etag != NONE


def time_text(time: float) -> str:
    """A time as names begin with it; it sorts before all entries of that time and later."""
    return f"{max(time, 0.0):017.6f}"


def common_prefix(one: float, other: float) -> str:
    """What the names of all entries between two times begin with."""
    first, last = time_text(one), time_text(other)
    return first[: next((place for place in range(len(first)) if first[place] != last[place]), len(first))]


def entry_name(entry: Entry, random: str) -> str:
    """The name of the object of one entry; `random` are RANDOM digits of hex that no other object of its node has."""
    return object_name([entry], random)


def object_name(entries: Sequence[Entry], random: str) -> str:
    """The name of the object of these entries, at most as many as `group_size` says."""
    first, *others = entries
    head, change = _head(first, random), _change(first)
    if not others and len(head) + len(change) > LONGEST:
        return head + _change(first, inside=True)
    return head + change + "".join(map(_change, others))


def group_size(entries: Sequence[Entry]) -> int:
    """How many of the first of these entries one object may bear: 1 at least, and all of one node."""
    node = entries[0].node
    length, size = len(_head(entries[0], "0" * RANDOM)), 0
    for entry in entries:
        change = _change(entry)
        length += len(change)
        if entry.node != node or length > LONGEST or change.endswith(f"/{INSIDE}"):
            break
        size += 1
    return max(size, 1)


def parse_entries(name: str) -> tuple[Entry, ...]:
    """The entries of the object of this name; none where it bears none, since others may put objects beside the
    journal."""
    found = _OBJECT.fullmatch(name)
    if found is None:
        return ()
    time, node = float(found["time"]), found["node"]
    entries = tuple(_entry(change, time, node) for change in _CHANGES.finditer(found["changes"]))
    is_whole = len(entries) == 1 or all(entry.name is not None for entry in entries)
    return entries if is_whole else ()


def names_alone(name: str) -> tuple[str, ...]:
    """For each entry of an object with entries, the name that the object would have if it bore this one alone."""
    time, writer, *parts = name.split("/")
    return tuple("/".join([time, writer, *parts[place : place + 4]]) for place in range(0, len(parts), 4))


def _head(entry: Entry, random: str) -> str:
    return f"{time_text(entry.time)}/{entry.node}-{random}"


def _change(entry: Entry, *, inside: bool = False) -> str:
    written = quote(entry.name or "", safe="")
    place = INSIDE if inside or written in ("", ".", "..") else written
    return f"/{entry.kind}/{quote(entry.etag, safe='')}/{entry.modified}/{place}"


def _entry(change: re.Match[str], time: float, node: str) -> Entry:
    kind, etag, modified, name = change.groups()
    return Entry(
        kind,  # type: ignore[arg-type]  # the expression has no others
        None if name == INSIDE else unquote(name),
        unquote(etag),
        int(modified),
        time,
        node,
    )
