"""The arguments of imgproxy's options. Each function takes the option's word for its error, and raises Refused (404),
which is imgproxy's status for a URL that it cannot read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from gateway.errors import Refused, quote
from gateway.rules import FORMAT_ALIASES

_TRUTHS = {**dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True)}
_TRUTHS |= dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False)
"""The spellings of Go's strconv.ParseBool."""

_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d*)?|\.\d+)", re.ASCII)
_HEX = re.compile(r"([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def only(option: str, arguments: Sequence[str]) -> str:
    """The one argument of an option."""
    at_most(option, arguments, 1)
    return arguments[0]


def at_most(option: str, arguments: Sequence[str], most: int) -> None:
    if len(arguments) > most:
        raise Refused(404, f"{option}: must have at most {most} argument{'s' if most > 1 else ''}")


def word(option: str, arguments: Sequence[str], words: Sequence[str]) -> str:
    """One of `words`."""
    given = only(option, arguments)
    if given not in words:
        raise Refused(404, f"{option}:{quote(given)}: must be one of {', '.join(words)}")
    return given


def truth(option: str, text: str) -> bool:
    if text not in _TRUTHS:
        raise Refused(404, f"{option}:{quote(text)}: must be 1, t, true, 0, f or false")
    return _TRUTHS[text]


def integer(option: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Refused(404, f"{option}:{quote(text)}: must be a whole number")
    return int(text)


def whole(option: str, text: str) -> int:
    """A whole number of at least 0; a time may have more digits."""
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise Refused(404, f"{option}:{quote(text)}: must be a whole number, 0 or more")
    return int(text)


def number(option: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Refused(404, f"{option}:{quote(text)}: must be a number")
    return float(text)


def not_negative(option: str, text: str) -> float:
    found = number(option, text)
    if found < 0:
        raise Refused(404, f"{option}:{quote(text)}: must be 0 or more")
    return found


def positive(option: str, text: str) -> float:
    found = number(option, text)
    if found <= 0:
        raise Refused(404, f"{option}:{quote(text)}: must be more than 0")
    return found


def quality(option: str, text: str) -> int:
    """0 (the default of the format) to 100."""
    found = whole(option, text)
    if found > 100:
        raise Refused(404, f"{option}:{quote(text)}: must be from 1 to 100, or 0 for the default")
    return found


def colour(option: str, arguments: Sequence[str]) -> str:
    """The hex digits of `ffddee`, `fde` or `255:221:238`."""
    if len(arguments) == 1 and _HEX.fullmatch(arguments[0]):
        return arguments[0].lower()
    if len(arguments) == 3:
        samples = [whole(option, argument) for argument in arguments]
        if max(samples) <= 255:
            return "".join(f"{sample:02x}" for sample in samples)
    raise Refused(404, f"{option}: must be hex digits such as ff8800, or R:G:B with numbers from 0 to 255")


def format_name(text: str) -> str:
    """Our word for imgproxy's word of a format."""
    return FORMAT_ALIASES.get(text.lower(), text.lower())


def rounded(value: float) -> int:
    """The nearest whole number, halves up, at least 1: imgproxy's imath.Round of a size."""
    return max(1, math.floor(value + 0.5))
