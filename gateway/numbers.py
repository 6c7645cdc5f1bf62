"""Decimal numbers in one canonical spelling. Twin of numbers.lua."""

from __future__ import annotations

import math
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


def ratio(text: str) -> str | None:
    """Two numbers joined by a colon, each from 0.01 to 10000 with at most 2 decimals, in lowest terms: 1.5:1 is 3:2."""
    sides = [scaled(part, 2, 0.01, 10000) for part in text.split(":")]
    if len(sides) != 2 or sides[0] is None or sides[1] is None:
        return None
    divisor = math.gcd(sides[0], sides[1])
    return f"{sides[0] // divisor}:{sides[1] // divisor}"
