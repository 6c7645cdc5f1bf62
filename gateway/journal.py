"""The names of the journal's entries, `TIME/NODE-RANDOM/KIND/ETAG/STORE-TIME/NAME`, and how they are read.

TIME is in seconds since the epoch by the store's clock, with as many digits before the point in every name, so that the
byte order of the names is the order of time. ETAG and STORE-TIME are those of the original after the change; `-` and 0
where there is none, or where the outcome of a write is not known. NAME is percent-encoded; it is `@` where the object
of the entry has it, since it is too long or no segment of a path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote, unquote

Kind = Literal["put", "delete", "purge", "purge-prefix", "purge-all"]
NONE = "-"  # in place of an ETag
ANY_NODE = "0"  # of an entry that all nodes heed, also the one that has written it
INSIDE = "@"  # in place of a name that the object holds
LONGEST = 1024  # bytes of an object's name in Swift

_ENTRY = re.compile(
    rf"(?P<time>[0-9]{{10}}\.[0-9]{{6}})/(?P<node>[0-9a-f]+)-(?P<random>[0-9a-f]+)/(?P<kind>{'|'.join(get_args(Kind))})"
    r"/(?P<etag>[^/]+)/(?P<modified>[0-9]+)/(?P<name>[^/]+)"
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
    """The name of the object of an entry; `random` are digits of hex that no other entry of its node has."""
    written = quote(entry.name or "", safe="")
    head = f"{time_text(entry.time)}/{entry.node}-{random}/{entry.kind}/{quote(entry.etag, safe='')}/{entry.modified}/"
    is_segment = written not in ("", ".", "..") and len(head) + len(written) <= LONGEST
    return head + (written if is_segment else INSIDE)


def parse_entry(name: str) -> Entry | None:
    """The entry of this name; None where it is none, since others may put objects beside the journal."""
    found = _ENTRY.fullmatch(name)
    if found is None:
        return None
    inside = found["name"] == INSIDE
    kind: Kind = found["kind"]  # type: ignore[assignment]  # the expression has no others
    return Entry(
        kind,
        None if inside else unquote(found["name"]),
        unquote(found["etag"]),
        int(found["modified"]),
        float(found["time"]),
        found["node"],
    )
