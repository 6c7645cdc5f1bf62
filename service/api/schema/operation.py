"""What an operation of the API is: its method and path, what it answers, who may ask for it, and how it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.api_settings import Scope


@dataclass(frozen=True, slots=True)
class Kind:
    """How requests are counted in metrics, under this name.

    `long` requests take long because much is asked, so that the log does not call them slow. A request about `many`
    images has a trace without spans for each of them.
    """

    name: str
    long: bool = False
    many: bool = False


OTHER = Kind("other")


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation answers with: what it means, and content types with their models, if JSON."""

    status: int
    means: str
    content: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `scopes` are what a token needs, any of them; `problems` the codes it may answer with.

    Handlers that need more than one scope, or another for some queries, ask for it themselves. An `open` operation
    needs no token. Its requests are counted as `kind`, or as the kind of the first of the parameters `kinds` that they
    have; not at all where `kind` is None. A PUT or POST without a JSON body `sends` an image, raw or as a form; bytes,
    never as a form; or nothing.
    """

    name: str
    method: str
    path: str
    answers: tuple[Answer, ...] = ()
    scopes: tuple[Scope, ...] = ()
    problems: tuple[str, ...] = ()
    takes_image: bool = False
    sends: Literal["form", "bytes", "nothing"] = "form"
    open: bool = False
    kind: Kind | None = OTHER
    kinds: Mapping[str, Kind] = field(default_factory=dict)
