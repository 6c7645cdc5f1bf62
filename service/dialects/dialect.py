"""The interface of a dialect: the URLs of another image server, and what each of them means here.

A dialect is pure: it reads and sends nothing. `service/api/resources/dialects.py` asks it, fetches the original's shape
where the dialect needs it, and answers; nginx remembers the translations (nginx/lua/dialects.lua).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.equivalence import canonicalise
from gateway.holding import Shape
from gateway.names import Name, check_image
from gateway.recipes import read
from gateway.rules import Rules


@dataclass(frozen=True, slots=True)
class Request:
    """A request below one of a dialect's prefixes.

    `path` is raw, without `prefix` and the slash after it; `query` is raw, without `?`. `base` is how clients call
    the port, scheme and authority, such as https://images.example.org. `now` is in seconds since the epoch. A `trusted`
    request comes by the API port, which has checked it: it needs no signature.
    """

    prefix: str
    path: str
    query: str = ""
    accept: str = ""
    base: str = ""
    now: float = 0.0
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """The canonical name that a URL means, until the signature's end (seconds since the epoch) where it has one.

    `link` is the header `Link` of the answer, empty for none.
    """

    name: Name
    until: float | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another URL to ask in place of this one."""

    location: str
    status: int = 303


@dataclass(frozen=True, slots=True)
class Document:
    """A text about an image, such as IIIF's info.json."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Translation | Redirect | Document


@dataclass(frozen=True, slots=True)
class ShapeNeeded:
    """What a URL means depends on the original's shape: `answer` computes it. Raises Refused."""

    image: str
    answer: Callable[[Shape], Answer]


@dataclass(frozen=True, slots=True)
class OriginalNeeded:
    """What a URL means depends on the original's shape, and on whether all of it is opaque: `answer` computes it of
    both. Raises Refused."""

    image: str
    answer: Callable[[Shape, bool], Answer]


@dataclass(frozen=True, slots=True)
class ListingNeeded:
    """A document about all images below a folder (its name without a slash at its end): `answer` makes it of their
    names and shapes."""

    folder: str
    answer: Callable[[Sequence[tuple[str, Shape]]], Document]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in the dialect's own convention."""

    status: int
    body: bytes
    content_type: str = "text/plain"


class Dialect(Protocol):
    """One dialect, with its configuration and the rules of the gateway.

    `name` is its word in the configuration. A dialect that `signs` verifies signatures of its own in `read`; all others
    are answered on the public port only where `public.access` is open.
    """

    @property
    def name(self) -> str: ...
    @property
    def prefixes(self) -> tuple[str, ...]: ...
    @property
    def signs(self) -> bool: ...

    def read(self, request: Request) -> Answer | ShapeNeeded | OriginalNeeded | ListingNeeded:
        """What a request means. Raises Refused with the status of the dialect's convention."""

    def problem(self, status: int, detail: str) -> Problem:
        """An error that `read` raised, or a later one (404 no such image, 422, 503, ...), as the dialect says it."""


def name_of(image: str, given: Mapping[str, str], format: str, rules: Rules) -> Name:
    """The canonical name of operations, as the vocabulary spells them, on an image. Raises Refused (400)."""
    return Name(check_image(image), canonicalise(read(given, rules), format, rules), format)
