"""The dialects that a configuration turns on."""

from __future__ import annotations

from collections.abc import Callable

from gateway.rules import Rules
from gateway.settings import Config
from service.dialects import imgproxy, thumbor
from service.dialects.dialect import Dialect
from service.dialects.iiif import dialect as iiif

Make = Callable[[Config, Rules], Dialect | None]
"""Makes a dialect, None where it is not configured."""

MAKERS: tuple[Make, ...] = (iiif.make, imgproxy.make, thumbor.make)


def dialects_of(config: Config, rules: Rules) -> tuple[Dialect, ...]:
    """The dialects that have a prefix."""
    return tuple(dialect for make in MAKERS if (dialect := make(config, rules)))
