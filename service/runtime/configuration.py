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
    """A configuration, and the file it comes from; None for the defaults."""

    config: Config
    file: Path | None

    def reread(self) -> tuple[Config, str]:
        """The configuration as its file is now, and the file's text. Raises ConfigError."""
        if self.file is None:
            return _parse("", NO_FILE, Path.cwd()), ""
        text = _read(self.file)
        return _parse(text, self.file, self.file.parent.absolute()), text


def read_config(given: Path | None, base: Path | None = None) -> tuple[Config, Path | None]:
    """The configuration and the file it came from; `base` is where relative paths start if not beside the file.

    Raises ConfigError.
    """
    file = given or (FILE if FILE.exists() else None)
    if file is None:
        return _parse("", NO_FILE, Path.cwd()), None
    return _parse(_read(file), file, base or file.parent.absolute()), file


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
    return load(text, file=str(file), base=base, environ=os.environ, read_file=lambda path: path.read_text("utf-8"))


def plainly(error: OSError) -> str:
    """Return which file failed, and why."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
