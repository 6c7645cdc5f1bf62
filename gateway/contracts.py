"""The interface through which checks query the contract: here for Python; lua_contract.py has it for the Lua twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gateway import (
    access,
    cache_tag,
    format_choice,
    freshness,
    holding,
    media_types,
    names,
    negotiate,
    paths,
    save_as,
    temp_urls,
)
from gateway.errors import ContractError
from gateway.holding import Shape
from gateway.marker import parse_marker, parse_smaller, print_marker
from gateway.names import Name
from gateway.rules import Rules

UNREADABLE = "unreadable"  # what a contract makes of a marker that is not read


class BrokenLua(ContractError):
    """The Lua does not load or does not run: it has a mistake that is not a matter of the contract."""


class Contract(Protocol):
    """The functions that both languages have. A name is opaque: only the contract that made it can read it.

    Text is `str`, in which a byte that is not UTF-8 is a surrogate (`surrogateescape`). All that take a request or a
    format raise Refused; Lua's raises BrokenLua too.
    """

    def parse(self, path: str, query: str) -> Any: ...
    def print(self, name: Any) -> str: ...
    def is_undecided(self, name: Any) -> bool: ...
    def signature(self, name: Any) -> Mapping[str, str]: ...
    def decide(self, name: Any, format: str) -> Any: ...
    def disk_path(self, name: Any, *, ending: bool = False) -> str: ...
    def marker_path(self, name: Any) -> str: ...
    def smaller_path(self, name: Any) -> str: ...
    def marker(self, text: str) -> str: ...
    def smaller(self, text: str) -> str: ...
    def candidates(self, name: Any, accept: str, marker: str, smaller: str) -> list[str]: ...
    def cache_control(self, name: Any, now: float, *, current: bool, ends: int | None = None) -> str: ...
    def authorise(self, name: Any, now: float) -> None: ...
    def sign(self, text: str, key: str, expires: int | None, more: str) -> str: ...
    def bucket(self, accept: str) -> str: ...
    def fitting(self, name: Any, shape: Shape) -> list[str]: ...
    def escape(self, text: str) -> str: ...
    def temp_url(self, method: str, path: str, query: str, keys: Sequence[str], now: int) -> str: ...
    def media_type(self, head: str) -> str: ...
    def cache_tags(self, image: str, header: str, longest: int) -> str: ...
    def disposition(self, name: Any, extension: str) -> str: ...


class PythonContract:
    """The contract as the service knows it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def parse(self, path: str, query: str) -> Name:
        return names.parse(path, query, self._rules)

    def print(self, name: Name) -> str:
        return str(name)

    def is_undecided(self, name: Name) -> bool:
        return not name.decided

    def signature(self, name: Name) -> Mapping[str, str]:
        return name.signature

    def decide(self, name: Name, format: str) -> Name:
        return names.decide(name, format, self._rules)

    def disk_path(self, name: Name, *, ending: bool = False) -> str:
        return names.disk_path(name, ending=ending)

    def marker_path(self, name: Name) -> str:
        return paths.marker_path(name.image)

    def smaller_path(self, name: Name) -> str:
        return paths.smaller_path(name.image)

    def marker(self, text: str) -> str:
        """The fields of a marker: base, source, ETag, width, height, frames, time, end."""
        found = parse_marker(text)
        return UNREADABLE if found is None else " ".join(print_marker(found).split())

    def smaller(self, text: str) -> str:
        return notes(parse_smaller(text))

    def candidates(self, name: Name, accept: str, marker: str, smaller: str) -> list[str]:
        """The formats that an undecided name may become, by the texts of a marker that is readable and of its notes."""
        known, noted = parse_marker(marker), parse_smaller(smaller)
        if known is None:
            raise ValueError(f"not a marker: {marker!r}")
        return list(format_choice.candidates(name, known, accept, self._rules, noted.get))

    def cache_control(self, name: Name, now: float, *, current: bool, ends: int | None = None) -> str:
        return freshness.cache_control(name, self._rules, now, current=current, ends=ends)

    def authorise(self, name: Name, now: float) -> None:
        access.authorise(name, self._rules, now)

    def sign(self, text: str, key: str, expires: int | None, more: str) -> str:
        return access.sign(text, key, expires, more)

    def bucket(self, accept: str) -> str:
        return negotiate.bucket(accept, self._rules.negotiate)

    def fitting(self, name: Name, shape: Shape) -> list[str]:
        return holding.fitting(name.recipe, shape, self._rules)

    def escape(self, text: str) -> str:
        return names.escape(text)

    def temp_url(self, method: str, path: str, query: str, keys: Sequence[str], now: int) -> str:
        """All that a temporary URL gives: what is sent, as what, and for how long, a line each."""
        grant = temp_urls.admit(method, path, query, keys, now)
        kind = temp_urls.media_type(grant.name)
        fresh = temp_urls.cache_control(grant.expires, self._rules.max_age, now)
        return "\n".join((grant.container, grant.name, str(grant.expires), grant.disposition, kind, fresh))

    def media_type(self, head: str) -> str:
        return media_types.media_type(encode(head))

    def cache_tags(self, image: str, header: str, longest: int) -> str:
        return cache_tag.header_value(image, header, longest)

    def disposition(self, name: Name, extension: str) -> str:
        return save_as.disposition(name.image, extension, name.signature)


def notes(noted: Mapping[str, str]) -> str:
    """The notes of a `@smaller` file in an order of their own, since a Lua table has none."""
    return " ".join(f"{chosen}={smaller}" for chosen, smaller in sorted(noted.items())) or "none"


def encode(text: str) -> bytes:
    """Text as Lua has it."""
    return text.encode("utf-8", "surrogateescape")


def decode(text: bytes) -> str:
    """Text as Python has it."""
    return text.decode("utf-8", "surrogateescape")
