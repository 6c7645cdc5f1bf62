"""The timing of an animation as its format can state it."""

from __future__ import annotations

from service.engine.formats import FORMATS
from service.engine.picture import Picture

MOST_PLAYS = 65_535
"""Runs of an animation that every format can state; more are hardly seen to their end."""

MOST_IN_ALL = 2**31 - 1
"""Milliseconds of a run that libraries count: 24 days."""

_LARGEST = 65_535  # a numerator of 16 bits


def fit(picture: Picture, word: str) -> None:
    """Shorten delays that the format cannot state to the longest that it can, so that none of MOST_IN_ALL has to be
    counted; and more runs than MOST_PLAYS to that."""
    if len(picture.frames) < 2:
        return
    longest = min(FORMATS[word].longest_delay, MOST_IN_ALL // len(picture.frames))
    for frame in picture.frames:
        frame.delay = min(frame.delay, longest)
    picture.details.plays = min(picture.details.plays, MOST_PLAYS)


def as_fraction(delay: int) -> int:
    """The delay, in milliseconds, as an APNG can state it: in thousandths of a second up to 65.535 s, then in
    hundredths, tenths and whole seconds, since it is a fraction of two numbers of 16 bits."""
    step = 1
    while delay > _LARGEST * step:
        step *= 10
    return round(delay / step) * step
