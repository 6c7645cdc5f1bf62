"""Query a contract about a request or a vector, and print its answer as text that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.contracts import Contract
from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import Rules
from gateway.samples import MARKERS, NOW, SHAPES, Request

Observation = dict[str, str]
"""What one side makes of a request, by what was asked of it: `name`, `verdict`, `path`, ..."""


def observe(contract: Contract, request: Request, rules: Rules) -> Observation:
    """All that one side makes of a request. What it refuses is part of it, as status and detail."""
    seen = {"format for Accept": contract.bucket(request.accept)}
    try:
        name = contract.parse(request.path, request.query)
    except Refused as refused:
        return seen | {"name": _refusal(refused)}
    text = contract.print(name)
    seen |= {
        "name": text,
        "signature": str(sorted(contract.signature(name).items())),
        "verdict": said(_verdict, contract, name, NOW),
        "path": contract.disk_path(name),
        "path of one that ends": contract.disk_path(name, ending=True),
        "marker": contract.marker_path(name),
        "notes": contract.smaller_path(name),
        "Cache-Control": contract.cache_control(name, NOW, current=False),
        "Cache-Control of the current version": contract.cache_control(name, NOW, current=True),
        "Cache-Control of one that ends": contract.cache_control(name, NOW, current=True, ends=int(NOW) + 7),
        "URL": contract.escape(text),
        "Content-Disposition": contract.disposition(name, "webp"),
    }
    if contract.is_undecided(name):
        for format in rules.out:
            seen[f"name as {format}"] = said(_decided, contract, name, format)
        for shape in SHAPES:
            seen[f"formats that hold it of {shape}"] = _fitting(contract, name, shape)
        for marker, smaller in MARKERS:
            seen[f"formats beside {marker!r} and {smaller!r}"] = _candidates(
                contract, name, request.accept, marker, smaller
            )
    return seen


def said(ask: Callable[..., str], *arguments: Any) -> str:
    """The answer; of a refusal, its status and detail."""
    try:
        return ask(*arguments)
    except Refused as refused:
        return _refusal(refused)


def _refusal(refused: Refused) -> str:
    return f"{refused.status} {refused.detail}"


def short(value: object) -> str:
    """A value as a message has it: ASCII, on one line, and not too long."""
    text = ascii(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _verdict(contract: Contract, name: Any, now: float) -> str:
    contract.authorise(name, now)
    return "200"


def _decided(contract: Contract, name: Any, format: str) -> str:
    return contract.print(contract.decide(name, format))


def _fitting(contract: Contract, name: Any, shape: Shape) -> str:
    return " ".join(contract.fitting(name, shape)) or "none"


def _candidates(contract: Contract, name: Any, accept: str, marker: str, smaller: str) -> str:
    return " ".join(contract.candidates(name, accept, marker, smaller))


def _temp_url(contract: Contract, row: Mapping[str, Any]) -> str:
    return contract.temp_url(row["method"], row["path"], row["query"], row["keys"], row["now"])


def _signature(contract: Contract, row: Mapping[str, Any]) -> str:
    return contract.sign(row["name"], row["key"], row["expires"], row.get("more", ""))


def _parsed(contract: Contract, row: Mapping[str, Any]) -> Any:
    return contract.parse(row["path"], row.get("query", ""))


QUESTIONS: tuple[tuple[str, str, Callable[[Contract, Mapping[str, Any]], str]], ...] = (
    ("names", "is", lambda contract, row: contract.print(_parsed(contract, row))),
    ("decisions", "is", lambda contract, row: _decided(contract, _parsed(contract, row), row["format"])),
    ("negotiation", "is", lambda contract, row: contract.bucket(row["accept"])),
    ("holding", "is", lambda contract, row: _fitting(contract, _parsed(contract, row), Shape(*row["shape"]))),
    ("markers", "is", lambda contract, row: contract.marker(row["marker"])),
    ("notes", "is", lambda contract, row: contract.smaller(row["smaller"])),
    (
        "choices",
        "is",
        lambda contract, row: _candidates(
            contract, _parsed(contract, row), row["accept"], row["marker"], row["smaller"]
        ),
    ),
    (
        "freshness",
        "is",
        lambda contract, row: contract.cache_control(
            _parsed(contract, row), row["now"], current=row["current"], ends=row.get("ends")
        ),
    ),
    ("signatures", "is", _signature),
    ("verdicts", "is", lambda contract, row: _verdict(contract, _parsed(contract, row), row["now"])),
    ("paths", "is", lambda contract, row: contract.disk_path(_parsed(contract, row))),
    ("paths", "ending", lambda contract, row: contract.disk_path(_parsed(contract, row), ending=True)),
    ("paths", "marker", lambda contract, row: contract.marker_path(_parsed(contract, row))),
    ("paths", "notes", lambda contract, row: contract.smaller_path(_parsed(contract, row))),
    ("escapes", "is", lambda contract, row: contract.escape(row["name"])),
    ("temp_urls", "is", _temp_url),
    ("media_types", "is", lambda contract, row: contract.media_type(row["head"])),
    ("dispositions", "is", lambda contract, row: contract.disposition(_parsed(contract, row), row["format"])),
    ("cache_tags", "is", lambda contract, row: contract.cache_tags(row["image"], row["header"], row["longest"])),
)
"""By group of the vectors: where the right answer stands, and how to get one. No such answer: a status is right."""
