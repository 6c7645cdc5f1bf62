"""A change of the repository, and the message about it, as they lie in the outbox."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.outbox_settings import ChangeKind

MALFORMED = "it is no message of an outbox"


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to which images: to `names`, to all whose names begin with `prefix`, or, with an empty one, to all.

    `facts` is what is known of a new image: bytes, content_type, md5 and sha256, both in hex. `made` is in seconds
    since the epoch.
    """

    kind: ChangeKind
    names: Sequence[str] = ()
    prefix: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    made: float = field(default_factory=time.time)

    @property
    def data(self) -> dict[str, Any]:
        """What an event says of it: `name` or `names`, or `prefix`, or `all`, and the facts."""
        if self.prefix is not None:
            return {"prefix": self.prefix} if self.prefix else {"all": True}
        return {"name": self.names[0], **self.facts} if len(self.names) == 1 else {"names": list(self.names)}

    @property
    def time(self) -> str:
        """When it was made, in UTC, by ISO 8601."""
        return datetime.fromtimestamp(self.made, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def subject(self) -> str:
        """The images, for the log."""
        if self.prefix is not None:
            return f"{self.prefix}*"
        return self.names[0] if len(self.names) == 1 else f"{len(self.names)} images"


@dataclass(frozen=True, slots=True)
class Message:
    """A change for one receiver. `id` is the name of its object below `outbox/`."""

    id: str
    change: Change


@dataclass(frozen=True, slots=True)
class Address:
    """What the id of a message says: the node that wrote it, when (milliseconds since the epoch), and for whom."""

    node: str
    made: int
    receiver: str


def new_id(node: str, receiver: str) -> str:
    """An id that no other message has; it holds no dot, which Standard Webhooks puts after it."""
    return f"{node}-{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}-{receiver}"


def address_of(id: str) -> Address | None:
    """None where the id is none of ours."""
    node, _, rest = id.partition("-")
    made, _, rest = rest.partition("-")
    receiver = rest.partition("-")[2]
    return Address(node, int(made), receiver) if node and made.isdecimal() and receiver else None


def written(change: Change) -> bytes:
    """The object of a message about it."""
    document = {
        "kind": change.kind,
        "names": list(change.names),
        "prefix": change.prefix,
        "facts": dict(change.facts),
        "made": change.made,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def read(text: bytes) -> Change:
    """The change in the object of a message. Raises ValueError."""
    try:
        document = json.loads(text)
        kind, names, prefix = document["kind"], document["names"], document["prefix"]
        if not all(isinstance(name, str) for name in names) or not (names or isinstance(prefix, str)):
            raise ValueError(MALFORMED)
        return Change(kind, tuple(names), prefix, dict(document["facts"]), float(document["made"]))
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(MALFORMED) from error
