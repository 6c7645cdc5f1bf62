"""Normalise values of the vocabulary's types to one canonical spelling. Twin of values.lua."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway import numbers, positions
from gateway.hints import did_you_mean

Row = Mapping[str, Any]
Limits = Mapping[str, int]

_SWITCHES = {"0": "0", "1": "1", "false": "0", "true": "1"}
_COLOUR = re.compile(r"#?([0-9a-f]{3,8})")


def _integer(row: Row, text: str, limits: Limits) -> str | None:
    if text in row.get("words", ()):
        return text
    if "." in text:
        return None
    return numbers.normalise(text, 0, row["min"], maximum(row, limits))


def _decimal(row: Row, text: str, limits: Limits) -> str | None:
    return numbers.normalise(text, row["places"], row["min"], row["max"])


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
    return _digits(text)


def _digits(text: str) -> str | None:
    """The hex digits of a colour: six, or eight where it is not opaque."""
    match = _COLOUR.fullmatch(text.lower())
    if match is None:
        return None
    digits = match[1]
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) not in (6, 8):
        return None
    return digits[:6] if digits[6:] == "ff" else digits


def _colours(row: Row, text: str, limits: Limits) -> str | None:
    found = [_digits(part) for part in text.split(":")]
    if len(found) != row["count"]:
        return None
    opaque = [digits for digits in found if digits is not None and len(digits) == 6]
    return ":".join(opaque) if len(opaque) == len(found) else None


def _border(row: Row, text: str, limits: Limits) -> str | None:
    number, colon, colour = text.partition(":")
    fuzz, digits = _decimal(row, number, limits), _digits(colour) if colon else ""
    if fuzz is None or digits is None:
        return None
    return f"{fuzz}:{digits}" if colon else fuzz


def _tuple(row: Row, text: str, limits: Limits) -> str | None:
    given, parts = text.split(":"), row["parts"]
    if len(given) > len(parts):
        return None
    values: list[str] = []
    for part, one in zip(parts, given, strict=False):
        value = numbers.normalise(one, part["places"], part["min"], part["max"])
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
    "colours": _colours,
    "border": _border,
    "ratio": lambda _row, text, _limits: numbers.ratio(text),
    "point": lambda _row, text, _limits: positions.point(text),
    "region": lambda _row, text, _limits: positions.region(text),
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
