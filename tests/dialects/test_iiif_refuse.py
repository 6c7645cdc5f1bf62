"""`dialects.iiif.sizes: refuse`: only what info.json names is translated, and info.json says level 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import Rules
from gateway.settings import Config
from service.dialects.dialect import Answer, Document, Request, ShapeNeeded, Translation
from service.dialects.iiif.dialect import make

SHAPE = Shape(1000, 600)


def answer(path: str) -> Answer:
    options = {"prefix": "/iiif/3", "tile": 256, "sizes": "refuse"}
    dialect = make(Config.model_validate({"base": Path(), "dialects": {"iiif": options}}), Rules())
    assert dialect is not None
    read = dialect.read(Request("/iiif/3", path, base="http://localhost"))
    assert isinstance(read, ShapeNeeded)
    return read.answer(SHAPE)


@pytest.mark.parametrize("asked", ["full/max", "full/500,300", "full/250,", "0,0,256,256/max", "768,512,232,88/232,88"])
def test_sizes_and_tiles_of_info_json_are_made(asked: str) -> None:
    assert isinstance(answer(f"cat.jpg/{asked}/0/default.jpg"), Translation)


@pytest.mark.parametrize(
    "asked", ["full/501,", "1,0,256,256/max", "0,0,256,256/255,", "pct:10,10,10,10/max", "square/max"]
)
def test_all_else_is_400(asked: str) -> None:
    with pytest.raises(Refused) as refused:
        answer(f"cat.jpg/{asked}/0/default.jpg")
    assert refused.value.status == 400


def test_info_json_says_level_0() -> None:
    document = answer("cat.jpg/info.json")
    assert isinstance(document, Document)
    info = json.loads(document.body)
    assert info["profile"] == "level0"
    assert info["tiles"] == [{"width": 256, "height": 256, "scaleFactors": [1, 2, 4]}]
    assert info["sizes"] == [{"width": w, "height": h} for w, h in ((250, 150), (500, 300), (1000, 600))]
