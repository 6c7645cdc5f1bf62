"""The dialects that a configuration turns on. Only those are loaded: all of them take a twentieth of a start."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from gateway.rules import Rules
from gateway.section import Section
from gateway.settings import Config
from service.dialects.dialect import Dialect

Make = Callable[[Config, Rules], Dialect | None]
"""Makes a dialect, None where it is not configured."""

MODULES = {
    "iiif": "service.dialects.iiif.dialect",
    "imgproxy": "service.dialects.imgproxy",
    "thumbor": "service.dialects.thumbor",
}
"""By the name of the section, the module whose `make` is a `Make`."""


def dialects_of(config: Config, rules: Rules) -> tuple[Dialect, ...]:
    """The dialects that have a prefix."""
    makers = (_maker(module) for name, module in MODULES.items() if _has_prefix(getattr(config.dialects, name)))
    return tuple(dialect for make in makers if (dialect := make(config, rules)))


def _maker(module: str) -> Make:
    make: Make = import_module(module).make
    return make


def _has_prefix(section: Section) -> bool:
    return any(value for option, value in section if option.startswith("prefix"))
