"""The overlays of a recipe: which of the configuration's, where, how strong, how large. Twin of overlays.lua.

    logo:se:2p:2p:0.8:20p~credit:sw

Names joined by `~`, from the lowest to the topmost; each with its place, offsets, opacity and scale, of which the last
may be left out. In a canonical name a stamp follows the overlay's name, a hash of all that it looks like.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.errors import Refused, quote
from gateway.hints import did_you_mean
from gateway.numbers import normalise
from gateway.positions import length

if TYPE_CHECKING:
    from gateway.rules import Rules

MOST = 8  # overlays of one image
PLACES = ("center", "n", "ne", "e", "se", "s", "sw", "w", "nw", "tile", "diagonal")
OWN_SIZE = "own"
DEFAULTS = ("se", "0", "0", "1", OWN_SIZE)
"""Place, offsets across and down, opacity, and scale."""


def _scale(text: str) -> str | None:
    if text == OWN_SIZE:
        return text
    value = normalise(text.removesuffix("p"), 2, 0.01, 100) if text.endswith("p") else None
    return None if value is None else f"{value}p"


_PARTS: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    (f"one of {', '.join(PLACES)}", lambda text: text if text in PLACES else None),
    ("an offset in whole pixels, or percent with p", length),
    ("an offset in whole pixels, or percent with p", length),
    ("an opacity from 0.01 to 1 with at most 2 decimals", lambda text: normalise(text, 2, 0.01, 1)),
    ("a scale in percent of the picture's width, such as 20p, or own", _scale),
)


def expand(text: str, rules: Rules) -> str:
    """The canonical spelling of the value of `over`: the present stamp of every overlay, and where it lies.

    What a name without a stamp leaves out, the configuration's `place` of the overlay gives; after a stamp it is that
    of DEFAULTS. There are MOST at most, besides those that are required. Raises Refused naming what is wrong.
    """
    items = text.split("~")
    count = sum(_name_of(item) not in rules.required for item in items)
    if count > MOST:
        raise Refused(400, f"over={quote(text)}: {count} overlays: at most {MOST} are allowed")
    return "~".join(_expanded(item, rules) for item in items)


def require(value: str | None, rules: Rules) -> str:
    """The value of `over` with the overlays that every image must bear on top, as they are configured; there are
    such."""
    others = [item for item in (value or "").split("~") if item and _name_of(item) not in rules.required]
    return "~".join((*others, *(_expanded(name, rules) for name in rules.required)))


def names_in(value: str | None) -> list[str]:
    """The names of the overlays in a value of `over`, each once."""
    return list(dict.fromkeys(map(_name_of, value.split("~")))) if value else []


def canonical_place(text: str) -> str:
    """Place, offsets, opacity and scale, each in its one spelling and all of them. Raises ValueError."""
    try:
        return ":".join(_parts(text.split(":") if text else [], DEFAULTS, text))
    except Refused as refused:
        raise ValueError(refused.detail.partition(": ")[2]) from None


def _name_of(item: str) -> str:
    return item.partition(":")[0].partition(".")[0]


def _expanded(item: str, rules: Rules) -> str:
    first, _, rest = item.partition(":")
    name, dot, stamp = first.partition(".")
    row = rules.overlays.get(name)
    if row is None or (dot and not _is_stamp(stamp)):
        raise Refused(400, f"over={quote(item)}: no such overlay{_known(name, rules)}")
    usual = DEFAULTS if dot else tuple(row["place"].split(":"))
    parts = _parts(rest.split(":") if ":" in item else [], usual, item)
    while parts and parts[-1] == DEFAULTS[len(parts) - 1]:
        parts.pop()
    return ":".join((f"{name}.{row['stamp']}", *parts))


def _parts(given: list[str], usual: tuple[str, ...], item: str) -> list[str]:
    if len(given) > len(_PARTS):
        raise Refused(400, f"over={quote(item)}: must be name:place:x:y:opacity:scale")
    parts = list(usual)
    for index, text in enumerate(given):
        expects, read = _PARTS[index]
        value = read(text)
        if value is None:
            raise Refused(400, f"over={quote(item)}: {quote(text)}: must be {expects}")
        parts[index] = value
    return parts


def _is_stamp(text: str) -> bool:
    return 0 < len(text) <= 64 and all(letter in "0123456789abcdef" for letter in text)


def _known(name: str, rules: Rules) -> str:
    known = sorted(rules.overlays)
    if not known:
        return "; the configuration has none"
    return did_you_mean(name, known) or f"; there are {', '.join(known)}"
