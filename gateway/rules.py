"""The rules by which both sides read a request: the vocabulary, joined with one configuration.

The same document is given to Lua (`document()`, as JSON) and to Python, so neither can know more than the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

_TRAITS = {"alpha": True, "animated": False, "quality": False, "lossless": False}
"""What a condition may ask of a format, and what holds where the format's row does not say it."""


def _vocabulary() -> dict[str, Any]:
    """vocabulary.json, with the names of formats in place of the traits that a condition asks of them."""
    vocabulary: dict[str, Any] = json.loads(Path(__file__).with_name("vocabulary.json").read_text("utf-8"))
    for row in vocabulary["operations"]:
        for condition in (*row.get("matters", ()), *row.get("needs", ())):
            if "format" in condition:
                condition["format"] = _having(condition["format"], vocabulary["formats"])
        if "needs_text" in row:
            *most, last = row["needs"][0]["format"]
            row["needs_text"] = row["needs_text"].format(formats=f"{', '.join(most)} or {last}")
    return vocabulary


def _having(traits: Mapping[str, bool], formats: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The formats that have these traits."""
    return [
        word
        for word, row in formats.items()
        if all(bool(row.get(trait, _TRAITS[trait])) == wanted for trait, wanted in traits.items())
    ]


VOCABULARY: Mapping[str, Any] = _vocabulary()

_FORMATS: Mapping[str, Mapping[str, Any]] = VOCABULARY["formats"]
ORIGINALS: Mapping[str, Mapping[str, Any]] = _FORMATS | VOCABULARY["only_originals"]

FORMATS: tuple[str, ...] = tuple(_FORMATS)
"""Formats out. An original may be in each of them, too."""
ORIGINAL_FORMATS: tuple[str, ...] = tuple(ORIGINALS)
ACCEPTED: tuple[str, ...] = tuple(word for word, row in ORIGINALS.items() if row.get("accepted", True))
"""Formats in that are taken by default."""
CONTENT_TYPES: Mapping[str, str] = {word: row["type"] for word, row in _FORMATS.items()}
ORIGINAL_TYPES: Mapping[str, str] = {word: row["type"] for word, row in ORIGINALS.items()}
FORMAT_ALIASES: Mapping[str, str] = {alias: word for word, row in _FORMATS.items() for alias in row.get("aliases", ())}
OPAQUE: tuple[str, ...] = tuple(_having({"alpha": False}, _FORMATS))
ANIMATED: tuple[str, ...] = tuple(_having({"animated": True}, _FORMATS))
NEGOTIATED: tuple[str, ...] = tuple(
    word for _, word in sorted((row["negotiated"], word) for word, row in _FORMATS.items() if "negotiated" in row)
)
"""What `auto` may become beside the base format, the preferred first."""
DEFAULT_QUALITY: Mapping[str, int] = {word: row["quality"] for word, row in _FORMATS.items() if "quality" in row}
"""The quality of each lossy format."""

_EFFORTS = {word: row["effort"] for word, row in _FORMATS.items() if "effort" in row}
DEFAULT_EFFORT: Mapping[str, int] = {word: effort["default"] for word, effort in _EFFORTS.items()}
MOST_EFFORT: Mapping[str, int] = {word: effort["most"] for word, effort in _EFFORTS.items()}
"""How much work an encoder spends on an image, of those that have a choice; the least is 0."""

DEFAULT_LIMITS = {"width": 4096, "height": 4096, "frames": 500}
DEFAULT_IGNORED_QUERY = ("utm_*", "fbclid", "gclid", "_")


@dataclass(frozen=True)
class Rules:
    """One configuration's part in how a request is read.

    `limits` bounds w, h (pixels) and frame; `quality` is the default q (1..100) of each format that has one;
    `out` lists the formats that may be asked for; `default_format` is what a request without a format gets: a
    format, `auto` or `source`; `negotiate` is what `auto` may become, each of them in `out`, the preferred first;
    `keep` is what a recipe may keep; `presets` maps a bare word to its recipe; `access` is open, presets or signed;
    `keys` maps the id of a signing key to its secret; `metadata` says whether the public port answers `@meta.json`;
    `max_age` is how many seconds browsers may keep an image, `preset_max_age` the same for single presets;
    `ignored_query` lists the query keys that are dropped unread; a `*` at the end stands for any rest;
    `time` is how many seconds one image may take, by which animations are bounded that take long; `memory` is
    how many bytes an engine process may use for it; `shared_caches` are
    the directives of Cache-Control that tell shared caches how many seconds something holds; `ladder` has the widths
    that may be asked for on the public port, ascending, and is empty where all may; `snap` says what becomes
    of the others;
    `overlays` maps the name of an overlay to its `stamp`, a hash in hex, and its canonical `place`; `required` lists
    those that every image of the public port bears.
    """

    limits: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_LIMITS))
    quality: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_QUALITY))
    out: Sequence[str] = FORMATS
    default_format: str = "source"
    negotiate: Sequence[str] = NEGOTIATED
    keep: Sequence[str] = ()
    presets: Mapping[str, str] = field(default_factory=dict)
    access: str = "open"
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: bool = False
    max_age: int = 3600
    preset_max_age: Mapping[str, int] = field(default_factory=dict)
    ignored_query: Sequence[str] = DEFAULT_IGNORED_QUERY
    time: float = 30.0
    memory: int = 1 << 30
    shared_caches: Mapping[str, int] = field(default_factory=dict)
    ladder: Sequence[int] = ()
    snap: str = "up"
    overlays: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    required: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """The rules as one JSON document, for the Lua side. It contains the signing keys, so it must be kept secret."""
        return {
            "vocabulary": VOCABULARY,
            "originals": list(ORIGINAL_FORMATS),
            "limits": dict(self.limits),
            "quality": {word: str(value) for word, value in self.quality.items()},
            "out": list(self.out),
            "default_format": self.default_format,
            "negotiate": list(self.negotiate),
            "keep": list(self.keep),
            "presets": dict(self.presets),
            "access": self.access,
            "keys": dict(self.keys),
            "metadata": self.metadata,
            "max_age": self.max_age,
            "preset_max_age": dict(self.preset_max_age),
            "ignored_query": list(self.ignored_query),
            "time": self.time,
            "memory": self.memory,
            "shared_caches": dict(self.shared_caches),
            "ladder": list(self.ladder),
            "snap": self.snap,
            "overlays": {name: dict(row) for name, row in self.overlays.items()},
            "required": list(self.required),
        }

    @cached_property
    def operations(self) -> Mapping[str, Mapping[str, Any]]:
        """The rows of the vocabulary by key, in canonical order."""
        return {row["key"]: row for row in VOCABULARY["operations"]}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Every word that names an operation, to its key."""
        words = {key: key for key in self.operations}
        for key, row in self.operations.items():
            words.update(dict.fromkeys(row.get("aliases", ()), key))
        return words

    @cached_property
    def query_words(self) -> Sequence[str]:
        """Every parameter that a query on the public port may have: operations, their aliases, and the others."""
        return (*self.aliases, *VOCABULARY["naming_parameters"], *VOCABULARY["request_parameters"])

    @cached_property
    def of_api(self) -> Rules:
        """The rules of the API port, where a program asks: no parameter is dropped, any width may be asked for, and no
        overlay is required."""
        return replace(self, ignored_query=(), ladder=(), required=())
