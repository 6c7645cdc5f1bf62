"""Compare how nginx and the service read requests: runs the Lua that nginx loads inside lupa, against Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, product
from pathlib import Path

from gateway import marker_samples, temp_url_samples
from gateway.contracts import BrokenLua, Contract, PythonContract
from gateway.lua_contract import LUA_ROOT, LuaContract
from gateway.questions import observe, said, short
from gateway.rules import VOCABULARY, Rules
from gateway.samples import Request, requests, sequences
from gateway.vectors import broken

SAMPLED = 20  # of them before a start, which takes 0.3 seconds of a processor at most
GENERATED = 1000  # requests by chance for each of the access modes
MOST_FINDINGS = 10  # of one comparison; a twin that differs, differs often
_ACCESS_MODES = ("open", "presets", "signed")
_CHECK_KEYS = {"check": "a key for comparing twins, where none is configured"}


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

    They are compared on the vectors, on every preset in every format, and on requests, markers and temporary URLs by
    chance.
    """
    root = lua_root or LUA_ROOT
    differences = chain(
        _on_vectors(root),
        _on_presets(rules, root),
        _on_requests(rules, root),
        _on_markers(rules, root),
        _on_temp_urls(rules, root),
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


def _on_vectors(root: Path) -> Iterator[str]:
    loaded: list[LuaContract] = []

    def lua(rules: Rules) -> Contract:
        loaded.append(loaded[0].under(rules) if loaded else LuaContract(rules, root))
        return loaded[-1]

    for language, make, other, its in (("Python", PythonContract, "Lua", lua), ("Lua", lua, "Python", PythonContract)):
        for failure in broken(make):
            yield f"{language} contradicts {failure}; {other} reads {short(failure.read_by(its(failure.rules)))}"


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


def _on_markers(rules: Rules, root: Path) -> Iterator[str]:
    python, lua = PythonContract(rules), LuaContract(rules, root)
    for text in marker_samples.texts(GENERATED, 0):
        for what, in_python, in_lua in (
            ("marker", said(python.marker, text), said(lua.marker, text)),
            ("notes", said(python.smaller, text), said(lua.smaller, text)),
        ):
            if in_python != in_lua:
                yield f"Lua and Python differ on the {what} {short(text)}: {short(in_lua)} and {short(in_python)}"


def _on_temp_urls(rules: Rules, root: Path) -> Iterator[str]:
    python, lua = PythonContract(rules), LuaContract(rules, root)
    for url in temp_url_samples.urls(GENERATED, 0):
        in_python, in_lua = (said(one.temp_url, *url) for one in (python, lua))
        if in_python != in_lua:
            yield f"Lua and Python differ on the temporary URL {short(url)}: {short(in_lua)} and {short(in_python)}"
    for head in temp_url_samples.heads(GENERATED, 0):
        in_python, in_lua = (said(one.media_type, head) for one in (python, lua))
        if in_python != in_lua:
            yield f"Lua and Python differ on a file that begins with {short(head)}: {in_lua} and {in_python}"


def _differences(rules: Rules, root: Path, asked: Iterable[Request]) -> Iterator[str]:
    python, lua = PythonContract(rules), LuaContract(rules, root)
    for request in asked:
        in_python, in_lua = observe(python, request, rules), observe(lua, request, rules)
        for what in sorted({*in_python, *in_lua}):
            one, other = in_lua.get(what, ""), in_python.get(what, "")
            if one != other:
                readings = f"{short(one)} in Lua, {short(other)} in Python"
                yield f"Lua and Python differ on {short(request)}: {what} is {readings}"
                break
