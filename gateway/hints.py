"""Guess the known word that an unknown one most likely means, for error messages. Twin of hints.lua."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LONGEST_HINTED = 24  # bytes of a word; a longer one is no slip of the finger, and comparing it would take time


def did_you_mean(word: str, known: Iterable[str], meant: Mapping[str, str] | None = None) -> str:
    """`; did you mean webp?`, or nothing where no known word is close. `nearest` says what close is."""
    found = nearest(word, known, meant)
    return f"; did you mean {found}?" if found else ""


def nearest(word: str, known: Iterable[str], meant: Mapping[str, str] | None = None) -> str | None:
    """The known word that differs from `word` by one slip in three letters and by two at most, the first of several.

    A slip is a letter too many, too few, wrong, or swapped with its neighbour; case does not count. `meant` maps words
    of other image services to words of this one, and has priority.
    """
    if not word.isascii() or len(word) > LONGEST_HINTED:
        return None
    text, words = word.lower(), list(known)
    translated = (meant or {}).get(text)
    if translated in words:
        return translated
    best, least = None, min(2, len(text) // 3) + 1
    for one in words:
        if abs(len(one) - len(text)) < least and (slips := _slips(text, one.lower())) < least:
            best, least = one, slips
    return best


def _slips(one: str, other: str) -> int:
    """The optimal string alignment distance: edits and swaps of neighbours, each letter in at most one of them."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, last, row = row, before, [place]
        for column, wanted in enumerate(other, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != wanted))
            if place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == wanted:
                cost = min(cost, last[column - 2] + 1)
            row.append(cost)
    return row[-1]
