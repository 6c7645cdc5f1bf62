"""Which formats the libraries of this machine can read and write."""

from __future__ import annotations

from service.engine import writers
from service.engine.formats import FORMATS
from service.engine.libraries import pillow_has
from service.engine.magick import coders, shortcomings


def capabilities() -> dict[str, tuple[bool, bool]]:
    """By format word, whether it can be read and whether it can be written. Writing is tried with a small picture."""
    shortcomings.try_early()
    return {word: (_reads(word), _writes(word)) for word in FORMATS}


def _reads(word: str) -> bool:
    magick = coders.reads(word)  # for every format: this loads the coder, which the sandbox forbids later
    other = word in writers.PILLOW or FORMATS[word].reader in ("libjxl", "pillow-heif")
    return magick or (other and pillow_has(word))


def _writes(word: str) -> bool:
    if word in writers.PILLOW and coders.tried(writers.PILLOW[word]):
        return True
    return coders.writes(word)
