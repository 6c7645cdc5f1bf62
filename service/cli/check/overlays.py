"""Checks of the overlays: that their files are images of an accepted format, within the limits, and fonts are fonts."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.settings import Config
from service.cli.check.finding import Finding
from service.engine.job import EngineError, Limits
from service.originals.acceptance import take
from service.runtime.overlays import fonts_of
from service.runtime.paths import Paths


def overlays(config: Config, paths: Paths) -> Iterator[Finding]:
    """By the headers of pictures: a start decodes them in an engine process."""
    limits = Limits(config.limits.pixels, config.limits.frames, config.limits.width, config.limits.height)
    for name, overlay in config.overlays.items():
        try:
            if overlay.file:
                take(config.base / overlay.file, config.formats.accept, limits)
        except EngineError as error:
            yield Finding(f"overlays.{name}.file", f"{error}; name another picture")
        for font in fonts_of(config, overlay):
            yield from _font(name, str(font))


def _font(name: str, path: str) -> Iterator[Finding]:
    from PIL import ImageFont  # noqa: PLC0415  # only texts need it

    try:
        ImageFont.truetype(path, 20)
    except OSError as error:
        yield Finding(f"overlays.{name}.font", f"{path}: {error}; name a TrueType or OpenType font")
