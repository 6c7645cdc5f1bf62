"""Negotiate a format from the Accept header, in four buckets. Twin of negotiate.lua.

RFC 9110, section 12.5.1: each media range has a weight from 0 to 1, and the most specific range that matches a
type gives its weight. A modern format is chosen only if the header names it. Otherwise the base format is chosen (JPEG,
PNG or GIF, which nginx does not know).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.holding import Shape, longest_side
from gateway.rules import CONTENT_TYPES

BASE = "base"  # the last bucket: the base format of the image
BASE_TYPES = tuple(CONTENT_TYPES[word] for word in ("jpg", "png", "gif"))
LONGEST_ACCEPT = 2048  # bytes that are read; what follows is left out
_MOST_WEIGHT = 1000

_QUOTED_PAIR = re.compile(r"\\.", re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"')
_WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def weights(accept: str) -> dict[str, int]:
    """Every media range of an Accept header, in lower case, with its weight in thousandths.

    A range without a weight has 1000. A range with a malformed weight or with parameters is left out, since the image
    types here have no parameters. Of two equal ranges the last counts.
    """
    found: dict[str, int] = {}
    read = accept.encode("utf-8", "surrogateescape")[:LONGEST_ACCEPT].decode("latin-1")
    for element in _QUOTED.sub("", _QUOTED_PAIR.sub("", read)).split(","):
        media_range, *parameters = (part.strip(" \t") for part in element.lower().split(";"))
        weight: int | None = _MOST_WEIGHT
        for parameter in parameters:
            weight = _weight(parameter[2:]) if parameter.startswith("q=") else None
            if weight is None:
                break
        if weight is not None:
            found[media_range] = weight
    return found


def bucket(accept: str, negotiate: Sequence[str]) -> str:
    """`jxl`, `avif`, `webp` or `base`: the format a client with this Accept header gets for `auto`.

    `negotiate` lists the formats that may be chosen (see `holding.fitting`), the preferred first. Between formats of
    equal weight the earlier wins, and every one before the base format; a client that accepts nothing gets the base.
    """
    ranges = weights(accept)
    any_image = ranges.get("image/*", ranges.get("*/*", 0))
    best, most = BASE, max(ranges.get(media_type, any_image) for media_type in BASE_TYPES) - 1
    for format in negotiate:
        weight = ranges.get(CONTENT_TYPES[format], 0)
        if weight > 0 and weight > most:
            best, most = format, weight
    return best


def base_format(alpha: bool, shape: Shape, out: Sequence[str]) -> str:
    """The format that shows an image everywhere: GIF for animations, PNG where there is alpha, else JPEG.

    Where the configuration leaves that one out, or the image is too long for it, the next that can hold the image, at
    last the first of `out`.
    """
    suiting = (("gif", shape.frames > 1), ("png", alpha), ("jpg", not alpha), ("png", True))
    side = max(shape.width, shape.height)
    fitting = (word for word, suits in suiting if suits and word in out and side <= longest_side(word))
    return next(fitting, out[0])


def source_format(format: str, base: str, out: Sequence[str]) -> str:
    """What `source` means for an original in `format`: that format, or the base format where it cannot go out."""
    return format if format in out else base


def _weight(text: str) -> int | None:
    if _WEIGHT.fullmatch(text) is None:
        return None
    return round(float(text) * _MOST_WEIGHT)
