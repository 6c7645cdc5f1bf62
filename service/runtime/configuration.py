"""The configuration of a command: the file that -c names, ./config.yaml, or the defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gateway.config import ConfigError, Mistake, load
from gateway.settings import Config

FILE = Path("config.yaml")
NO_FILE = Path("the defaults")  # what a mistake names where no file is read


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and the text that it was read from: empty for the defaults."""

    config: Config
    text: str


def load_file(given: Path | None, base: Path | None = None) -> Loaded:
    """Read the configuration; `base` is where relative paths start if not beside the file. Raises ConfigError."""
    file = given or (FILE if FILE.exists() else None)
    if file is None:
        return Loaded(_parse("", NO_FILE, Path.cwd()), "")
    text = _read(file)
    return Loaded(_parse(text, file, base or file.parent.absolute()), text)


def read_config(given: Path | None, base: Path | None = None) -> tuple[Config, Path | None]:
    """The configuration and the file it came from. Raises ConfigError."""
    return load_file(given, base).config, given or (FILE if FILE.exists() else None)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        why = "there is no such file; name the configuration with -c"
    except OSError as error:
        why = f"the configuration cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        why = "the configuration is not UTF-8"
    raise ConfigError([Mistake(0, str(file), "", why)])


def _parse(text: str, file: Path, base: Path) -> Config:
    config = load(text, file=str(file), base=base, environ=os.environ, read_file=lambda path: path.read_text("utf-8"))
    if not config.overlays:
        return config
    from service.runtime.overlays import stamped  # noqa: PLC0415  # only overlays need the engine's types

    return stamped(config, str(file))
