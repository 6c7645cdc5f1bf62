"""Names of files as clients show them, without characters that hide or reorder others. Twin of filenames.lua."""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Marks, embeddings, overrides and isolates of text direction (Unicode Standard Annex 9), what has no width, and
separators of lines and paragraphs: with U+202E, `xgpj.exe` is shown as `xexe.jpg`."""


def visible(text: str) -> str:
    """Return `text` with `_` for each such character."""
    return _INVISIBLE.sub("_", text)
