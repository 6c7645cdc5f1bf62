"""Texts of metadata, made fit to be shown and written again."""

from __future__ import annotations

LONGEST = 256
"""Characters of a name or a credit that are taken."""

_JOINERS = "\u200c\u200d"  # which Persian and Indic scripts need


def plain(text: object) -> str | None:
    """Return one line of at most LONGEST printable characters; None where nothing is left, or it is no text.

    Control characters, marks of direction and unpaired surrogates become spaces, so that XML can hold the result.
    """
    if not isinstance(text, str):
        return None
    shown = "".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in text[: 4 * LONGEST])
    return " ".join(shown.split())[:LONGEST].strip() or None
