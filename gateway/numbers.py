"""Decimal numbers in one canonical spelling. Twin of numbers.lua."""

from __future__ import annotations

import re

MOST_DIGITS = 10  # of a whole part: all that any range needs, and exact in Lua's numbers

_DECIMAL = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?")


def scaled(text: str, places: int, low: float, high: float) -> int | None:
    """The number times 10**places. None where it is not a number, out of range, or has more decimals than `places`."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if not whole and not fraction:
        return None
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(whole) > MOST_DIGITS or len(fraction) > places:
        return None
    value = int((whole or "0") + fraction.ljust(places, "0"))
    if sign:
        value = -value
    scale = 10**places
    if value < round(low * scale) or value > round(high * scale):
        return None
    return value


def plain(value: int, places: int) -> str:
    """A scaled number without trailing zeros: 50 at two places is 0.5."""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return ("-" if value < 0 else "") + whole + ("." + fraction if fraction else "")


def normalise(text: str, places: int, low: float, high: float) -> str | None:
    """The canonical spelling of a number. None where it is not one, out of range, or too precise."""
    value = scaled(text, places, low, high)
    return None if value is None else plain(value, places)
