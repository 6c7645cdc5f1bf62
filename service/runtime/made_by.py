"""Name the software and the configuration that the bytes of all derived images depend on."""

from __future__ import annotations

import hashlib

from gateway.rules import Rules
from gateway.settings import Config


def engine_of(config: Config, rules: Rules, versions: str) -> str:
    """A name that changes with whatever changes the bytes of derived images. `versions` is what `software` returns."""
    limits, keep, fields = config.limits, tuple(config.metadata.keep), tuple(config.metadata.fields)
    tolerant = config.formats.tolerate_truncated
    bounds = (limits.width, limits.height, limits.frames)
    efforts = sorted(config.formats.effort.model_dump().items())
    chosen = (config.engine.library, config.formats.gamut, efforts)
    parts = (versions, sorted(rules.quality.items()), fields, keep, *bounds, tolerant, *chosen)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def choices_of(config: Config) -> str:
    """What the configuration chooses of how images are made, for people."""
    formats = config.formats
    efforts = " ".join(f"{format}={effort}" for format, effort in formats.effort.model_dump().items())
    return f"engine.library {config.engine.library}, formats.gamut {formats.gamut}, formats.effort {efforts}"


def made_by(config: Config, rules: Rules, versions: str) -> str:
    """What the caches' generation is named by: the bytes, and the formats that markers name."""
    return f"{engine_of(config, rules, versions)} {','.join(rules.out)}"
