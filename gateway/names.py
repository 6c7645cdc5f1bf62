"""Parse a request into the canonical name of the image it asks for. Twin of names.lua.

photos/cat.jpg                                  an image
photos/cat.jpg/@w=300,h=200,fit=cover.webp      a derived image
photos/cat.jpg/@meta.json                       its metadata
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from gateway import save_as
from gateway.equivalence import canonicalise
from gateway.errors import Refused, quote
from gateway.forms import META_LEAF, Asked, read_leaf, read_query
from gateway.hints import did_you_mean
from gateway.ladder import on_ladder
from gateway.paths import ending_path, file_path, folder_path, hashed_folder, marker_path
from gateway.recipes import FULL, Recipe, preset_recipe, print_recipe, read
from gateway.rules import FORMAT_ALIASES, VOCABULARY, Rules
from gateway.uri import escape, split_path, split_query

__all__ = [
    "LONGEST_IMAGE_NAME",
    "SRCSET_LEAF",
    "Name",
    "check_image",
    "decide",
    "disk_path",
    "escape",
    "file_path",
    "folder_path",
    "hashed_folder",
    "is_preset_word",
    "marker_path",
    "parse",
    "preset_recipe",
    "split_path",
    "split_query",
]

SRCSET_LEAF = "@srcset.json"  # which the service alone answers
LONGEST_IMAGE_NAME = 1024  # bytes, Swift's limit for an object's name

_UNDECIDED = VOCABULARY["undecided"]
_MEANT_FORMATS = VOCABULARY["meant"]["formats"]
_REQUEST_PARAMETERS = VOCABULARY["request_parameters"]
_API_PARAMETERS = VOCABULARY["api_parameters"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_WORD = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Name:
    """What a request asks for: a recipe of an image in a format, or its metadata (format `json`).

    `signature` holds the request's `sig`, `exp`, `v`, `download` and `filename`, which are never part of the name.
    """

    image: str
    recipe: Recipe
    format: str
    signature: dict[str, str] = field(default_factory=dict)

    @property
    def is_meta(self) -> bool:
        return self.format == "json"

    @property
    def decided(self) -> bool:
        """Whether the format is one that can be made, not `auto` or `source`."""
        return self.format not in _UNDECIDED

    @cached_property
    def leaf(self) -> str:
        """The last segment: `@w=300.webp`."""
        return META_LEAF if self.is_meta else f"@{print_recipe(self.recipe)}.{self.format}"

    def __str__(self) -> str:
        return f"{self.image}/{self.leaf}"


def check_image(name: str) -> str:
    """The name of an image, as it was given. Raises Refused (400) with what is wrong with it."""
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise Refused(400, "the name is not valid UTF-8") from None
    if size == 0:
        raise Refused(400, "the name is empty")
    if size > LONGEST_IMAGE_NAME:
        raise Refused(400, f"the name has {size} bytes: at most {LONGEST_IMAGE_NAME} are allowed")
    if _CONTROL.search(name):
        raise Refused(400, "the name holds a control character")
    for segment in name.split("/"):
        if segment == "":
            raise Refused(400, "the name has an empty segment: no leading, trailing or double slash")
        if segment in (".", ".."):
            raise Refused(400, "the name has a segment '.' or '..'")
        if segment.startswith("@"):
            raise Refused(400, "a segment of the name begins with '@', which is reserved for derived images")
    return name


def parse(path: str, query: str, rules: Rules) -> Name:
    """What the raw `path` (without the prefix `/images/`) and the raw `query` (without `?`) ask for.

    The name is canonical; its format may still be `auto` or `source`. Parameters that the rules ignore are dropped.
    Raises Refused with status 400, or 403 for what only the API answers.
    """
    segments, parameters = split_path(path), split_query(query, rules.ignored_query)
    signature = save_as.normalised({key: parameters.pop(key) for key in _REQUEST_PARAMETERS if key in parameters})
    for key in parameters:
        if key in _API_PARAMETERS:
            raise Refused(403, f"{key}: only the API answers this")
    if not segments[-1].startswith("@"):
        image = check_image("/".join(segments))
        return _name(image, read_query(parameters, rules), rules, signature)
    image = check_image("/".join(segments[:-1]))
    if segments[-1] == SRCSET_LEAF:
        raise Refused(403, f"{SRCSET_LEAF}: only the API answers this")
    for key in parameters:
        hint = did_you_mean(key, _REQUEST_PARAMETERS)
        allowed = ", ".join(_REQUEST_PARAMETERS)
        raise Refused(400, f"{quote(key)}: a derived name takes no parameters but {allowed}{hint}")
    return _name(image, read_leaf(segments[-1], rules), rules, signature)


def decide(name: Name, format: str, rules: Rules) -> Name:
    """The name with its undecided format replaced, canonical again.

    The request did not name this format, so what it cannot do is left out, and nothing is refused.
    """
    recipe = dict(name.recipe)
    if format not in rules.operations["mb"]["needs"][0]["format"]:
        recipe.pop("mb", None)
    return Name(name.image, canonicalise(recipe, format, rules), format, name.signature)


def is_preset_word(word: str) -> bool:
    """Whether a preset may have this name: lower-case letters, digits, `-` and `_`, and not a word in use."""
    return _WORD.fullmatch(word) is not None and word not in (FULL, "meta")


def disk_path(name: Name, *, ending: bool = False) -> str:
    """Where the derived image lies below the derived cache: its name, or a hash where no file system holds that, or
    where its original is `ending`."""
    place = ending_path if ending else file_path
    return place(name.image, name.leaf, name.format)


def _name(image: str, asked: Asked, rules: Rules, signature: dict[str, str]) -> Name:
    """The canonical name of what is asked of an image."""
    if asked.meta:
        return Name(image, {}, "json", signature)
    format = _format(asked.extension, rules)
    recipe = read(asked.given, rules)
    if asked.preset is not None and asked.preset != FULL:
        recipe = preset_recipe(asked.preset, rules) | recipe
    return Name(image, on_ladder(canonicalise(recipe, format, rules), format, rules), format, signature)


def _format(extension: str, rules: Rules) -> str:
    format = FORMAT_ALIASES.get(extension.lower(), extension.lower())
    if format not in rules.out and format not in _UNDECIDED:
        known = [*rules.out, *_UNDECIDED]
        hint = did_you_mean(extension, known, _MEANT_FORMATS)
        raise Refused(400, f"format {quote(extension)}: must be one of {', '.join(known)}{hint}")
    return format
