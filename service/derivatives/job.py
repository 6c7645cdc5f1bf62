"""Describe a derived image, the settings that all share, and the engine's job that makes one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.holding import Shape
from gateway.marker import Marker
from gateway.names import Name
from gateway.negotiate import base_format, source_format
from gateway.overlays import names_in
from gateway.rules import CONTENT_TYPES, DEFAULT_EFFORT, Rules
from gateway.settings import Config
from service.cache.published import Published
from service.engine.geometry import upright
from service.engine.job import Gamut, Job, Library, Limits, Overlay
from service.originals.originals import Original

Level = Literal["HIT-DISK", "HIT-MEMORY", "HIT-STORE", "MISS"]
Persist = Literal["always", "url", "never"]


@dataclass(frozen=True, slots=True)
class Derivative:
    """A derived image that is there now. `level` says where it was, `original` the ETag of what it was made of, where
    that had to be known, and `ends` when the store deletes that, in seconds since the epoch."""

    name: Name
    file: Published
    level: Level
    original: str | None = None
    ends: int | None = None

    def __str__(self) -> str:
        return str(self.name)

    @property
    def content_type(self) -> str:
        return "application/json" if self.name.is_meta else CONTENT_TYPES[self.name.format]


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What all derived images of one configuration have in common. `tolerant` shows what there is of an original that
    ends too soon; `engine` is the version of what makes them, a hash; `software` names it."""

    accept: Collection[str]
    limits: Limits
    keep: tuple[str, ...]
    fields: tuple[str, ...]
    tolerant: bool
    persist: Persist
    engine: str
    software: str
    library: Library = "auto"
    gamut: Gamut = "srgb"
    effort: Mapping[str, int] = field(default_factory=lambda: DEFAULT_EFFORT)
    overlays: Mapping[str, Overlay] = field(default_factory=dict)


def persist_of(config: Config, *, remote_store: bool) -> Persist:
    """When derived images go to the store. `auto` keeps all of them in a remote store, where other nodes find them, and
    which outlives this disk; a directory store is a disk like the cache's own."""
    if config.cache.persist == "auto":
        return "always" if remote_store else "url"
    return config.cache.persist


def job_of(name: Name, original: Original, job_settings: JobSettings, quality: int, output: Path) -> Job:
    """The engine's job that makes this name of this original."""
    return Job(
        task="describe" if name.is_meta else "derive",
        source=str(original.path),
        header=original.header,
        limits=job_settings.limits,
        recipe=name.recipe,
        format=name.format,
        output=str(output),
        quality=quality,
        keep=job_settings.keep,
        fields=job_settings.fields,
        tolerant=job_settings.tolerant,
        library=job_settings.library,
        gamut=job_settings.gamut,
        effort=job_settings.effort.get(name.format),
        overlays={one: job_settings.overlays[one] for one in names_in(name.recipe.get("over"))},
    )


def marker_of(original: Original, rules: Rules) -> Marker:
    """What is noted beside everything that is derived of this original."""
    header, stored = original.header, original.stored
    shape = Shape(*upright((header.width, header.height), header.orientation), header.frames)
    base = base_format(header.alpha, shape, rules.out)
    source = source_format(header.format, base, rules.out)
    return Marker(base, source, stored.etag, int(stored.modified), shape, stored.ends)
