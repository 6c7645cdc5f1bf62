"""Whether nginx and the service read every request alike: the Lua that nginx loads, run inside lupa, against Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from itertools import chain, islice, product
from pathlib import Path
from typing import Any

from gateway import temp_url_samples
from gateway.contracts import LUA_ROOT, BrokenLua, Contract, LuaContract, PythonContract
from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import VOCABULARY, Rules
from gateway.samples import NOW, SHAPES, Request, requests, sequences

SAMPLED = 20  # of them before a start, which takes 0.3 seconds of a processor at most
GENERATED = 1000  # requests by chance for each of the access modes
MOST_FINDINGS = 10  # of one comparison; a twin that differs, differs often
_ACCESS_MODES = ("open", "presets", "signed")
_CHECK_KEYS = {"check": "a key for comparing twins, where none is configured"}

Observation = dict[str, str]
"""What one side makes of a request, by what was asked of it: `name`, `verdict`, `path`, ..."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: what, where, and what to do about it. One line."""

    what: str
    where: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} [{self.where}]: {self.remedy}"


def compare(rules: Rules, lua_root: Path | None = None) -> Iterator[Finding]:
    """Where the Lua in `lua_root`/gateway (this package's own by default) and Python differ; nothing if they agree.

    They are compared on the vectors, on every preset in every format, on requests by chance, and on temporary
    URLs by chance.
    """
    root = lua_root or LUA_ROOT
    differences = chain(
        _on_vectors(root), _on_presets(rules, root), _on_requests(rules, root), _on_temp_urls(rules, root)
    )
    remedy = "restore gateway/ from the release, or change both twins alike"
    try:
        for difference in islice(differences, MOST_FINDINGS):
            yield Finding(difference, str(root / "gateway"), remedy)
    except BrokenLua as broken:
        yield Finding(str(broken), str(root / "gateway"), remedy)


def prove(rules: Rules, lua_root: Path | None = None) -> str | None:
    """The first difference between the Lua in `lua_root`/gateway and Python, or None; a start can afford this much.

    They are compared on the vectors, on every preset in every format, and on a fixed sample of requests.
    """
    root = lua_root or LUA_ROOT
    tried = replace(rules, keys=rules.keys or _CHECK_KEYS)
    asked = chain(_presets(rules), *(requests(tried, SAMPLED, seed) for seed in range(len(_ACCESS_MODES))))
    try:
        return next(chain(_on_vectors(root), _differences(tried, root, asked)), None)
    except BrokenLua as broken:
        return str(broken)


def vectors() -> dict[str, Any]:
    """The vectors, their texts put together; `vectors.json` tells what they are."""
    document: dict[str, Any] = json.loads(resources.files(__package__).joinpath("vectors.json").read_text("utf-8"))
    for group, rows in document.items():
        if group not in ("about", "rules"):
            document[group] = [{key: _whole(value) for key, value in row.items()} for row in rows]
    return document


def failures(make: Callable[[Rules], Contract]) -> Iterator[str]:
    """Where what `make` makes of some rules contradicts the vectors: what was asked, what came, what is right."""
    return (str(failure) for failure in _failures(make))


@dataclass(frozen=True)
class _Failure:
    """A vector that does not hold."""

    text: str
    question: Callable[[Contract, Mapping[str, Any]], str]
    row: Mapping[str, Any]
    rules: Rules

    def read_by(self, contract: Contract) -> str:
        """What another contract of the same rules makes of it."""
        return _said(self.question, contract, self.row)

    def __str__(self) -> str:
        return self.text


def _failures(make: Callable[[Rules], Contract]) -> Iterator[_Failure]:
    document = vectors()
    made: dict[str, Contract] = {}
    for group, expected, ask in _QUESTIONS:
        for row in document[group]:
            own = {key: row[key] for key in _OWN_RULES if key in row}
            rules = Rules(**document["rules"] | own)
            key = str(own)
            if key not in made:
                made[key] = make(rules)
            came = _said(ask, made[key], row)
            right = row.get(expected) or f"{row['status']} {row.get('says', '')}".strip()
            if came != right and not (expected not in row and came[:4] == right[:4] and right[4:] in came[4:]):
                asked = {key: value for key, value in row.items() if key in _ASKED}
                text = (
                    f"vectors.json, {group}: {_short(asked)}: {_short(came)} should be {_short(right)} ({row['why']})"
                )
                yield _Failure(text, ask, row, rules)


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
        "verdict": _said(_verdict, contract, name, NOW),
        "path": contract.disk_path(name),
        "marker": contract.marker_path(name),
        "Cache-Control": contract.cache_control(name, NOW, current=False),
        "Cache-Control of the current version": contract.cache_control(name, NOW, current=True),
        "URL": contract.escape(text),
    }
    if contract.is_undecided(name):
        for format in rules.out:
            seen[f"name as {format}"] = _said(_decided, contract, name, format)
        for shape in SHAPES:
            seen[f"formats that hold it of {shape}"] = _fitting(contract, name, shape)
    return seen


def _on_vectors(root: Path) -> Iterator[str]:
    loaded: list[LuaContract] = []

    def lua(rules: Rules) -> Contract:
        loaded.append(loaded[0].under(rules) if loaded else LuaContract(rules, root))
        return loaded[-1]

    for language, make, other, its in (("Python", PythonContract, "Lua", lua), ("Lua", lua, "Python", PythonContract)):
        for failure in _failures(make):
            yield f"{language} contradicts {failure}; {other} reads {_short(failure.read_by(its(failure.rules)))}"


def _presets(rules: Rules) -> list[Request]:
    """Every preset in every format."""
    formats = (*rules.out, *VOCABULARY["undecided"])
    return [Request(f"x/@{preset}.{format}", "") for preset, format in product(("full", *rules.presets), formats)]


def _on_presets(rules: Rules, root: Path) -> Iterator[str]:
    for access in _ACCESS_MODES:
        yield from _differences(replace(rules, access=access), root, _presets(rules))


def _on_requests(rules: Rules, root: Path) -> Iterator[str]:
    yield from _differences(rules, root, sequences())
    for seed, access in enumerate(_ACCESS_MODES):
        times = rules.preset_max_age or {preset: 60 + place for place, preset in enumerate(sorted(rules.presets))}
        tried = replace(rules, access=access, keys=rules.keys or _CHECK_KEYS, preset_max_age=times)
        yield from _differences(tried, root, requests(tried, GENERATED, seed))


def _on_temp_urls(rules: Rules, root: Path) -> Iterator[str]:
    python, lua = PythonContract(rules), LuaContract(rules, root)
    for url in temp_url_samples.urls(GENERATED, 0):
        in_python, in_lua = (_said(one.temp_url, *url) for one in (python, lua))
        if in_python != in_lua:
            yield f"Lua and Python differ on the temporary URL {_short(url)}: {_short(in_lua)} and {_short(in_python)}"
    for head in temp_url_samples.heads(GENERATED, 0):
        in_python, in_lua = (_said(one.media_type, head) for one in (python, lua))
        if in_python != in_lua:
            yield f"Lua and Python differ on a file that begins with {_short(head)}: {in_lua} and {in_python}"


def _differences(rules: Rules, root: Path, asked: Iterable[Request]) -> Iterator[str]:
    python, lua = PythonContract(rules), LuaContract(rules, root)
    for request in asked:
        in_python, in_lua = observe(python, request, rules), observe(lua, request, rules)
        for what in sorted({*in_python, *in_lua}):
            one, other = in_lua.get(what, ""), in_python.get(what, "")
            if one != other:
                readings = f"{_short(one)} in Lua, {_short(other)} in Python"
                yield f"Lua and Python differ on {_short(request)}: {what} is {readings}"
                break


def _verdict(contract: Contract, name: Any, now: float) -> str:
    contract.authorise(name, now)
    return "200"


def _decided(contract: Contract, name: Any, format: str) -> str:
    return contract.print(contract.decide(name, format))


def _fitting(contract: Contract, name: Any, shape: Shape) -> str:
    return " ".join(contract.fitting(name, shape)) or "none"


def _temp_url(contract: Contract, row: Mapping[str, Any]) -> str:
    return contract.temp_url(row["method"], row["path"], row["query"], row["keys"], row["now"])


def _parsed(contract: Contract, row: Mapping[str, Any]) -> Any:
    return contract.parse(row["path"], row.get("query", ""))


_QUESTIONS: tuple[tuple[str, str, Callable[[Contract, Mapping[str, Any]], str]], ...] = (
    ("names", "is", lambda contract, row: contract.print(_parsed(contract, row))),
    ("decisions", "is", lambda contract, row: _decided(contract, _parsed(contract, row), row["format"])),
    ("negotiation", "is", lambda contract, row: contract.bucket(row["accept"])),
    ("holding", "is", lambda contract, row: _fitting(contract, _parsed(contract, row), Shape(*row["shape"]))),
    (
        "freshness",
        "is",
        lambda contract, row: contract.cache_control(_parsed(contract, row), row["now"], current=row["current"]),
    ),
    ("signatures", "is", lambda contract, row: contract.sign(row["name"], row["key"], row["expires"])),
    ("verdicts", "is", lambda contract, row: _verdict(contract, _parsed(contract, row), row["now"])),
    ("paths", "is", lambda contract, row: contract.disk_path(_parsed(contract, row))),
    ("paths", "marker", lambda contract, row: contract.marker_path(_parsed(contract, row))),
    ("escapes", "is", lambda contract, row: contract.escape(row["name"])),
    ("temp_urls", "is", _temp_url),
    ("media_types", "is", lambda contract, row: contract.media_type(row["head"])),
)
"""By group of the vectors: where the right answer stands, and how to get one. No such answer: a status is right."""

_ASKED = (
    "method",
    "path",
    "query",
    "format",
    "accept",
    "negotiate",
    "shape",
    "limits",
    "name",
    "expires",
    "access",
    "now",
    "current",
    "ignored_query",
    "head",
)
_OWN_RULES = ("access", "metadata", "negotiate", "limits", "ignored_query")
"""The rules that a vector may have of its own."""


def _said(ask: Callable[..., str], *arguments: Any) -> str:
    try:
        return ask(*arguments)
    except Refused as refused:
        return _refusal(refused)


def _refusal(refused: Refused) -> str:
    return f"{refused.status} {refused.detail}"


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _whole(text: Any) -> Any:
    """A text of the vectors, put together from its parts."""
    if not isinstance(text, list) or not any(isinstance(part, list) for part in text):
        return text
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in text)
