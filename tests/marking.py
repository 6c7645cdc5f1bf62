"""Marks each test with what it starts, so that a selection such as `-m "not swift"` needs no list of files.

`swift` marks tests that start a Swift, `nginx` tests that start a whole gateway. Both are derived from the code: from
the names that a test and its fixtures use, followed through the functions of tests/. What a test starts by running a
program is not seen; such a file says `pytestmark = pytest.mark.nginx`. `slow` is always written by hand.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

STARTERS = {
    ("tests.swift.server", "running_swift"): "swift",
    ("tests.gateways", "running_gateway"): "nginx",
}
"""The functions that start something costly, and the marker of a test that reaches one."""

STORE_PARAMETERS = ("store", "store_kind")
"""The parameters that name the store of a test; one that is "swift" asks for the fixture of that name while it runs."""


def mark(item: pytest.Item) -> None:
    """Add the markers of what the test starts."""
    for marker in sorted(markers(item)):
        item.add_marker(marker)


def slow_first(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: one that a worker begins last keeps the other workers waiting."""
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("swift")}
    items.sort(key=lambda item: item.path not in slow)


def markers(item: pytest.Item) -> set[str]:
    if not isinstance(item, pytest.Function):
        return set()
    found = set().union(*(_reached(function) for function in _functions(item)))
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if any(parameters.get(name) == "swift" for name in STORE_PARAMETERS):
        found.add("swift")
    return found


def _functions(item: pytest.Function) -> Iterator[Callable[..., Any]]:
    """The test and every fixture that it depends on."""
    yield item.function
    definitions: dict[str, Any] = item._fixtureinfo.name2fixturedefs
    for name in item.fixturenames:
        for definition in definitions.get(name, ())[-1:]:
            yield definition.func


@functools.cache
def _reached(start: Callable[..., Any]) -> frozenset[str]:
    """The markers of the starters that a function of tests/ uses, by itself or through others."""
    found, seen, pending = set(), set(), [start]
    while pending:
        thing = pending.pop()
        for function in _parts(thing):
            if function in seen:
                continue
            seen.add(function)
            found |= {STARTERS[key] for key in [(function.__module__, function.__name__)] if key in STARTERS}
            pending += _named(function)
    return frozenset(found)


def _parts(thing: Any) -> Iterator[FunctionType]:
    """The functions that a name of tests/ stands for: a function itself, or the methods of a class."""
    thing = getattr(thing, "__wrapped__", thing)
    if not getattr(thing, "__module__", "").startswith("tests."):
        return
    if isinstance(thing, FunctionType):
        yield thing
    elif isinstance(thing, type):
        yield from (value for value in vars(thing).values() if isinstance(value, FunctionType))


def _named(function: FunctionType) -> Iterator[Any]:
    """What the global names in a function's code stand for."""
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if value is not None and sys.modules.get("builtins") is not value:
            yield value


def _names(code: CodeType) -> Iterable[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
