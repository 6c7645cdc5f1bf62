"""Points and regions of an image in one canonical spelling. Twin of positions.lua."""

from __future__ import annotations

from gateway.numbers import normalise, plain, scaled

_COMPASS = {
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
_POINTS = {*_COMPASS.values(), "smart"}


def point(text: str) -> str | None:
    """A point: a word of the compass, `smart`, or X:Y in fractions of the image."""
    if text in _POINTS:
        return text
    parts = [normalise(part, 3, 0, 1) for part in text.split(":")]
    if len(parts) != 2 or None in parts:
        return None
    place = f"{parts[0]}:{parts[1]}"
    return _COMPASS.get(place, place)


def _length(text: str) -> tuple[str, int] | None:
    """One number of a region: its unit (`p` for hundredths of a percent, empty for pixels) and its size."""
    unit = "p" if text.endswith("p") else ""
    if not unit and "." in text:
        return None
    value = scaled(text.removesuffix("p"), 2 if unit else 0, 0, 100 if unit else 10**6)
    return None if value is None else (unit if value else "", value)


def length(text: str) -> str | None:
    """A length in whole pixels, or in percent (`p`)."""
    found = _length(text)
    return None if found is None else _printed([found])


def region(text: str) -> str | None:
    """A region: X:Y:WIDTH:HEIGHT or WIDTH:HEIGHT, each in pixels or in percent (`p`)."""
    found = [_length(part) for part in text.split(":")]
    if len(found) not in (2, 4) or None in found:
        return None
    lengths = [length for length in found if length is not None]
    if len(lengths) == 2:
        return _sized(lengths)
    for start in (0, 1):
        (unit, offset), (size_unit, size) = lengths[start], lengths[start + 2]
        if size == 0 or (unit == "p" and offset == 10000):
            return None
        if unit == "p" and size_unit == "p":
            lengths[start + 2] = (size_unit, min(size, 10000 - offset))
    return _printed(lengths)


def _sized(lengths: list[tuple[str, int]]) -> str | None:
    """A region by its size alone; that of the whole image lies nowhere else."""
    if any(size == 0 for _, size in lengths):
        return None
    whole = all(length == ("p", 10000) for length in lengths)
    return _printed([("", 0), ("", 0), *lengths] if whole else lengths)


def _printed(lengths: list[tuple[str, int]]) -> str:
    return ":".join(plain(value, 2 if unit else 0) + unit for unit, value in lengths)
