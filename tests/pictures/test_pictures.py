"""Every generated picture: taken at the upload, and seen in three formats, in @full and in @meta.json.

The engine does it in this process, as it does in one of its own behind the gateway; every tenth picture also goes
through a whole gateway.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.engine.deriving import derive, describe, verify
from tests.gateways import Gateway
from tests.pictures import animations, avifs, bmps, colour, flaws, heifs, jxls, tiffs
from tests.pictures.case import Case, Colour
from tests.pictures.viewer import at, shown

CASES: list[Case] = [
    *colour.CASES,
    *tiffs.CASES,
    *bmps.CASES,
    *flaws.CASES,
    *animations.CASES,
    *avifs.CASES,
    *heifs.CASES,
    *jxls.CASES,
]
"""Each module of tests/pictures that makes pictures has a list of them."""

FORMATS = ("png", "jpg", "webp")
OPAQUE = ("jpg",)
LOSSY = 2
"""Of 255, by which an encoder may add to what a case tolerates."""


def wrong(case: Case, answer: Callable[[str], bytes]) -> list[str]:
    """What is wrong with the answers to each name below the picture's own."""
    said = []
    for kind in FORMATS:
        said += differing(case, answer(f"@w=32.{kind}"), kind)
    full = answer(f"@full.{case.full or case.kind}")
    meta = json.loads(answer("@meta.json"))
    if shown(full).size != (meta["width"], meta["height"]):
        said.append(f"@full: {shown(full).size} pixels, and {meta['width']}x{meta['height']} in @meta.json")
    said += differing(case, full, case.full or case.kind)
    return said + [f"{field}: {meta[field]}, not {value}" for field, value in case.meta.items() if meta[field] != value]


def differing(case: Case, data: bytes, kind: str) -> list[str]:
    """What is wrong with an answer of this format."""
    image, said = shown(data), []
    for place, wanted in case.shows.items():
        expected = on_white(wanted) if kind in OPAQUE else (*wanted, 255)[:4]
        seen = at(image, place)
        covered = expected[3] / 255  # the less of a pixel is covered, the less 8 bits say of its colour
        parts = zip(seen, expected, (covered, covered, covered, 1), strict=True)
        if max(abs(a - b) * weight for a, b, weight in parts) > case.tolerance + (kind != "png") * LOSSY:
            said.append(f"{kind} at {place}: {seen}, not {expected}")
    return said


def on_white(colour: Colour) -> Colour:
    """A colour with alpha as a format without shows it."""
    *rgb, alpha = (*colour, 255)[:4]
    return (*(round((value * alpha + 255 * (255 - alpha)) / 255) for value in rgb), 255)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_picture_looks_as_the_standards_say(case: Case) -> None:
    data = case.make()
    verify(data)

    def answer(name: str) -> bytes:
        if name == "@meta.json":
            return describe(data, "width", "height", *case.meta).data
        recipe, _, kind = name.removeprefix("@").rpartition(".")
        return derive(data, "" if recipe == "full" else recipe, kind).data

    assert wrong(case, answer) == []


@pytest.mark.parametrize("case", CASES[::12], ids=str)
def test_a_picture_looks_the_same_by_imagemagick(case: Case) -> None:
    data = case.make()
    assert differing(case, derive(data, "w=32", "png", library="imagemagick").data, "png") == []


def test_pictures_look_the_same_through_a_gateway(gateway: Gateway) -> None:
    said = {}
    for case in CASES[::10]:
        name = quote(f"{case.kind}-{case.name.replace(' ', '-')}.{case.kind}")
        uploaded = gateway.upload(name, case.make())
        assert uploaded.status_code == 201, uploaded.text

        def answer(below: str, name: str = name) -> bytes:
            port = gateway.api if below == "@meta.json" else gateway.public
            got = port.get(f"/images/{name}/{below}")
            assert got.status_code == 200, f"{name}/{below}: {got.text}"
            return got.content

        said[str(case)] = wrong(case, answer)
    assert {case: found for case, found in said.items() if found} == {}
