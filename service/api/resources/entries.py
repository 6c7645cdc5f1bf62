"""Make names of files in an archive: unique, and safe on every system that unpacks it."""

from __future__ import annotations

import re
import unicodedata

from gateway.filenames import visible
from gateway.rules import FORMAT_ALIASES

_UNSAFE = re.compile(r'[\\:*?"<>|]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


class Entries:
    """The names of one archive so far, as file systems compare them that do not tell case or composition apart."""

    def __init__(self, *taken: str) -> None:
        self._taken = {_folded(name) for name in taken}

    def name(self, image: str, format: str = "") -> str:
        """A free name for an image: its own, with the extension of `format` in place of another image format's."""
        stem, dot, extension = _safe(image).rpartition(".")
        if not dot or "/" in extension:
            stem, extension = _safe(image), ""
        if format and FORMAT_ALIASES.get(extension.lower(), extension.lower()) != format:
            extension = format
        end = f".{extension}" if extension else ""
        free, number = f"{stem}{end}", 1
        while _folded(free) in self._taken:
            number += 1
            free = f"{stem}-{number}{end}"
        self._taken.add(_folded(free))
        return free


def _safe(name: str) -> str:
    return "/".join(_segment(segment) for segment in name.split("/"))


def _segment(segment: str) -> str:
    cleaned = _UNSAFE.sub("_", visible(segment))
    if cleaned.startswith("-"):  # a program that is given the name would take it for an option
        cleaned = "_" + cleaned[1:]
    if cleaned.endswith((".", " ")):
        cleaned = cleaned[:-1] + "_"
    return f"_{cleaned}" if _DEVICES.fullmatch(cleaned) else cleaned


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
