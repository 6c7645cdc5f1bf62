"""Dialects asked for what a URL means, without a gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import Rules
from service.dialects.dialect import Dialect, OriginalNeeded, Request, ShapeNeeded, Translation
from service.dialects.imgproxy import Imgproxy
from service.dialects.thumbor import Thumbor

HERE = Path(__file__).parent
RULES = Rules(keep=("copyright", "icc"))
PRESETS = {"sharp": "rs:fill-down:120:90/q:70", "small": "w:50"}
SHAPE = Shape(1000, 800)
NOW = 1000.0


@dataclass(frozen=True)
class Meaning:
    """What a URL means. `shaped` tells whether the original's shape was asked for."""

    translation: Translation
    shaped: bool

    @property
    def name(self) -> str:
        return str(self.translation.name)

    @property
    def recipe(self) -> dict[str, str]:
        return self.translation.name.recipe


def dialect(name: str, **changes: Any) -> Dialect:
    """A dialect that takes URLs without a signature."""
    rules = changes.pop("rules", RULES)
    if name == "imgproxy":
        return replace(Imgproxy(("/imgproxy",), rules, presets=PRESETS), **changes)
    return replace(Thumbor(("/thumbor",), rules, unsafe=True), **changes)


def meaning(dialect: Dialect, url: str, shape: Shape = SHAPE, now: float = NOW, *, opaque: bool = True) -> Meaning:
    """What the URL means, `url` without the signature, for such an original. Raises Refused."""
    signature = "unsafe" if dialect.name == "thumbor" else "insecure"
    found = dialect.read(Request(dialect.prefixes[0], f"{signature}/{url}", now=now))
    shaped = isinstance(found, ShapeNeeded | OriginalNeeded)
    if isinstance(found, ShapeNeeded):
        answer = found.answer(shape)
    elif isinstance(found, OriginalNeeded):
        answer = found.answer(shape, opaque)
    else:
        assert isinstance(found, Translation)
        answer = found
    assert isinstance(answer, Translation)
    return Meaning(answer, shaped)


def refusal(dialect: Dialect, url: str, *, opaque: bool = True) -> Refused:
    """Why the URL is refused."""
    try:
        found = meaning(dialect, url, opaque=opaque)
    except Refused as error:
        return error
    raise AssertionError(f"{url} means {found.name}")


def vectors(name: str, kind: str) -> list[dict[str, Any]]:
    """The rows of NAME.json under `means` or `refused`."""
    rows: list[dict[str, Any]] = json.loads((HERE / f"{name}.json").read_text())[kind]
    return rows
