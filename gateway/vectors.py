"""Load the vectors (requests with their expected meaning), and find where a contract contradicts them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from gateway.contracts import Contract
from gateway.questions import QUESTIONS, said, short
from gateway.rules import Rules

_ASKED = (
    "method",
    "path",
    "query",
    "format",
    "accept",
    "negotiate",
    "shape",
    "marker",
    "smaller",
    "limits",
    "memory",
    "name",
    "expires",
    "more",
    "shared_caches",
    "ladder",
    "snap",
    "access",
    "now",
    "current",
    "ignored_query",
    "required",
    "head",
    "image",
    "header",
    "longest",
)
_OWN_RULES = (
    "access",
    "metadata",
    "negotiate",
    "limits",
    "memory",
    "ignored_query",
    "shared_caches",
    "ladder",
    "snap",
    "required",
)
"""The rules that a vector may have of its own."""


def vectors() -> dict[str, Any]:
    """The vectors, their texts put together; `vectors.json` says what they are."""
    document: dict[str, Any] = json.loads(resources.files(__package__).joinpath("vectors.json").read_text("utf-8"))
    for group, rows in document.items():
        if group not in ("about", "rules"):
            document[group] = [{key: _whole(value) for key, value in row.items()} for row in rows]
    return document


def failures(make: Callable[[Rules], Contract]) -> Iterator[str]:
    """Where what `make` makes of some rules contradicts the vectors: what was asked, what came, what is right."""
    return (str(failure) for failure in broken(make))


@dataclass(frozen=True)
class Failure:
    """A vector that does not hold."""

    text: str
    question: Callable[[Contract, Mapping[str, Any]], str]
    row: Mapping[str, Any]
    rules: Rules

    def read_by(self, contract: Contract) -> str:
        """What another contract of the same rules makes of it."""
        return said(self.question, contract, self.row)

    def __str__(self) -> str:
        return self.text


def broken(make: Callable[[Rules], Contract]) -> Iterator[Failure]:
    document = vectors()
    made: dict[str, Contract] = {}
    for group, expected, ask in QUESTIONS:
        for row in document[group]:
            own = {key: row[key] for key in _OWN_RULES if key in row}
            rules = Rules(**document["rules"] | own)
            key = str(own)
            if key not in made:
                made[key] = make(rules)
            came = said(ask, made[key], row)
            right = row.get(expected) or f"{row['status']} {row.get('says', '')}".strip()
            if came != right and not (expected not in row and came[:4] == right[:4] and right[4:] in came[4:]):
                asked = {key: value for key, value in row.items() if key in _ASKED}
                text = f"vectors.json, {group}: {short(asked)}: {short(came)} should be {short(right)} ({row['why']})"
                yield Failure(text, ask, row, rules)


def _whole(text: Any) -> Any:
    """A text of the vectors, put together from its parts."""
    if not isinstance(text, list) or not any(isinstance(part, list) for part in text):
        return text
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in text)
