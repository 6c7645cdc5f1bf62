"""Whether the presets of imgproxy can be read; one that cannot is refused in each URL that names it."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import Refused
from gateway.settings import Config
from service.cli.check.finding import Finding
from service.dialects.imgproxy.reading import read_options
from service.runtime.paths import Paths


def presets(config: Config, _paths: Paths) -> Iterator[Finding]:
    known = config.dialects.imgproxy.presets
    for name, options in known.items():
        try:
            read_options(options.split("/"), known)
        except Refused as error:
            yield Finding(f"dialects.imgproxy.presets.{name}", error.detail)
