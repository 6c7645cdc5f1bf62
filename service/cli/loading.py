"""The configuration of a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.runtime.configuration import Loaded


def load(file: Path | None, base: Path | None = None) -> Loaded:
    """Read the configuration, and put its log in force. Raises ConfigError."""
    from service.observability import logs  # noqa: PLC0415  # help needs no configuration
    from service.runtime.configuration import load_file  # noqa: PLC0415

    loaded = load_file(file, base)
    logs.configure(loaded.config.log)
    return loaded
