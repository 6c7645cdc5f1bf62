"""Normalise values of the vocabulary's types to one canonical spelling. Twin of values.lua."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway.hints import did_you_mean

Row = Mapping[str, Any]
Limits = Mapping[str, int]

_SWITCHES = {"0": "0", "1": "1", "false": "0", "true": "1"}
MOST_DIGITS = 10  # of a whole part: all that any range needs, and exact in Lua's numbers

_DECIMAL = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?")
_COLOUR = re.compile(r"#?([0-9a-f]{3,8})")

COMPASS = {
    "0:0": "nw",
    "0.5:0": "n",
    "1:0": "ne",
    "0:0.5": "w",
    "0.5:0.5": "center",
    "1:0.5": "e",
    "0:1": "sw",
    "0.5:1": "s",
    "1:1": "se",
}
_POINTS = {*COMPASS.values(), "smart"}


def _scaled(text: str, places: int, low: float, high: float) -> int | None:
    """The number times 10**places, where it is one, in range, and has no more decimals than `places`."""
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


def _plain(value: int, places: int) -> str:
    """A scaled number without trailing zeros: 50 at two places is 0.5."""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return ("-" if value < 0 else "") + whole + ("." + fraction if fraction else "")


def _number(text: str, places: int, low: float, high: float) -> str | None:
    value = _scaled(text, places, low, high)
    return None if value is None else _plain(value, places)


def _integer(row: Row, text: str, limits: Limits) -> str | None:
    if text in row.get("words", ()):
        return text
    if "." in text:
        return None
    return _number(text, 0, row["min"], maximum(row, limits))


def _decimal(row: Row, text: str, limits: Limits) -> str | None:
    return _number(text, row["places"], row["min"], row["max"])


def _switch(row: Row, text: str, limits: Limits) -> str | None:
    return _SWITCHES.get(text.lower())


def _word(row: Row, text: str, limits: Limits) -> str | None:
    return text if text in row["words"] else None


def _words(row: Row, text: str, limits: Limits) -> str | None:
    asked = text.split(":")
    if any(word not in row["words"] for word in asked):
        return None
    return ":".join(word for word in row["words"] if word in asked)


def _colour(row: Row, text: str, limits: Limits) -> str | None:
    match = _COLOUR.fullmatch(text.lower())
    if match is None:
        return None
    digits = match[1]
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) not in (6, 8):
        return None
    return digits[:6] if digits[6:] == "ff" else digits


def _point(row: Row, text: str, limits: Limits) -> str | None:
    if text in _POINTS:
        return text
    parts = [_number(part, 3, 0, 1) for part in text.split(":")]
    if len(parts) != 2 or None in parts:
        return None
    place = f"{parts[0]}:{parts[1]}"
    return COMPASS.get(place, place)


def _length(text: str) -> tuple[str, int] | None:
    """One number of a region: its unit (`p` for hundredths of a percent, empty for pixels) and its size."""
    unit = "p" if text.endswith("p") else ""
    if not unit and "." in text:
        return None
    value = _scaled(text.removesuffix("p"), 2 if unit else 0, 0, 100 if unit else 10**6)
    return None if value is None else (unit if value else "", value)


def _region(row: Row, text: str, limits: Limits) -> str | None:
    found = [_length(part) for part in text.split(":")]
    if len(found) != 4 or None in found:
        return None
    lengths = [length for length in found if length is not None]
    for start in (0, 1):
        (unit, offset), (size_unit, size) = lengths[start], lengths[start + 2]
        if size == 0 or (unit == "p" and offset == 10000):
            return None
        if unit == "p" and size_unit == "p":
            lengths[start + 2] = (size_unit, min(size, 10000 - offset))
    return ":".join(_plain(value, 2 if unit else 0) + unit for unit, value in lengths)


def _tuple(row: Row, text: str, limits: Limits) -> str | None:
    given, parts = text.split(":"), row["parts"]
    if len(given) > len(parts):
        return None
    values: list[str] = []
    for part, one in zip(parts, given, strict=False):
        value = _number(one, part["places"], part["min"], part["max"])
        if value is None:
            return None
        values.append(value)
    while len(values) > 1 and values[-1] == parts[len(values) - 1]["default"]:
        values.pop()
    return ":".join(values)


_TYPES: Mapping[str, Callable[[Row, str, Limits], str | None]] = {
    "integer": _integer,
    "decimal": _decimal,
    "switch": _switch,
    "word": _word,
    "words": _words,
    "colour": _colour,
    "point": _point,
    "region": _region,
    "tuple": _tuple,
}


def maximum(row: Row, limits: Limits) -> int:
    """The largest value of an integer row; a word stands for the configured limit of that name."""
    most = row["max"]
    return limits[most] if isinstance(most, str) else most


def expectation(row: Row, limits: Limits) -> str:
    """What the row takes, in words, for an error."""
    text: str = row["expects"]
    return text.replace("{max}", str(maximum(row, limits))) if "{max}" in text else text


def normalise(row: Row, text: str, limits: Limits) -> str | None:
    """The canonical spelling of `text` as a value of `row`, or None where it is not one."""
    return _TYPES[row["type"]](row, text, limits)


def value_hint(row: Row, text: str, switches: Mapping[str, str]) -> str:
    """`; did you mean cover?`, where a value that is not one of `row` is close to one of its words, or nothing."""
    if row["type"] == "switch":
        return did_you_mean(text, _SWITCHES, switches)
    return did_you_mean(text, row.get("words", ()), row.get("meant"))
