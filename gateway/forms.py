"""Parse the two forms of a request for a derived image: the leaf of a derived name, and the query.

Twin of forms.lua.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.errors import Refused, quote
from gateway.hints import did_you_mean
from gateway.recipes import add
from gateway.rules import VOCABULARY, Rules

META_LEAF = "@meta.json"

_NAMING_PARAMETERS = VOCABULARY["naming_parameters"]
_TRUTHS = {"0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True)
class Asked:
    """What was asked, as it was written: operations by key, a preset's bare word, a format; or metadata alone."""

    given: dict[str, str] = field(default_factory=dict)
    preset: str | None = None
    extension: str = ""
    meta: bool = False


def read_leaf(leaf: str, rules: Rules) -> Asked:
    """What a leaf asks for: `@w=300,h=200.webp`, `@thumbnail,q=60.png`, `@full.jpg`, `@meta.json`."""
    if leaf == META_LEAF:
        return Asked(meta=True)
    body, _, extension = leaf[1:].rpartition(".")
    if not body:
        raise Refused(400, f"{quote(leaf)}: must be @RECIPE.FORMAT, such as @w=300.webp or @full.jpg")
    given: dict[str, str] = {}
    preset: str | None = None
    for part in body.split(","):
        word, equals, text = part.partition("=")
        if not part:
            raise Refused(400, f"{quote(leaf)}: an item between its commas is empty")
        if equals:
            add(given, word, text, rules)
        elif preset is not None:
            raise Refused(400, f"{quote(part)}: must be key=value, after the preset {quote(preset)}")
        else:
            preset = part
    return Asked(given, preset, extension)


def read_query(parameters: dict[str, str], rules: Rules) -> Asked:
    """What the parameters of a query ask for."""
    if "format" in parameters and "kind" in parameters:
        raise Refused(400, "kind: given twice, as format and as kind")
    preset = _preset(parameters)
    given: dict[str, str] = {}
    for key, text in parameters.items():
        if key not in _NAMING_PARAMETERS:
            add(given, key, text, rules, rules.query_words)
    if _truth(parameters, "meta"):
        return _metadata(given, parameters, preset)
    _bound_both(given, parameters)
    return Asked(given, preset, parameters.get("format", parameters.get("kind", rules.default_format)))


def _truth(parameters: dict[str, str], key: str) -> bool:
    """The older clients' `True` and `False`; false where the parameter is missing."""
    text = parameters.get(key, "0")
    value = _TRUTHS.get(text.lower())
    if value is None:
        hint = did_you_mean(text, ("True", "False"))
        raise Refused(400, f"{key}={quote(text)}: must be True or False{hint}")
    return value


def _preset(parameters: dict[str, str]) -> str | None:
    """The preset, if any: `thumbnail=True` is the older spelling of one."""
    if not _truth(parameters, "thumbnail"):
        return parameters.get("preset")
    if "preset" in parameters:
        raise Refused(400, "thumbnail: given beside preset; give one of them")
    return "thumbnail"


def _bound_both(given: dict[str, str], parameters: dict[str, str]) -> None:
    """One of the older `xsize` and `ysize` alone bounds both sides."""
    for old, other in (("xsize", "h"), ("ysize", "w")):
        if old in parameters:
            given.setdefault(other, parameters[old])


def _metadata(given: dict[str, str], parameters: dict[str, str], preset: str | None) -> Asked:
    """The metadata of the whole image. No operation is allowed with it."""
    for key in [*given, *(key for key in ("format", "kind") if key in parameters), *([preset] if preset else [])]:
        raise Refused(400, f"{quote(key)}: metadata is of the whole image; leave this out")
    return Asked(meta=True)
