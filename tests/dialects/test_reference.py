"""IIIF's reference implementation (iiif 1.0.10, version 2.1) and this gateway answer the same URLs with pictures of the
same size and nearly the same pixels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests import images
from tests.gateways import Gateway
from tests.swift.server import environment

HERE = Path(__file__).parent
WIDTH, HEIGHT = 803, 601  # odd, so that a rounding that differs shows

SAME, RESAMPLED = 0.0, 2.0  # mean levels of 255 apart; the reference scales by another filter
URLS = {
    "full/full/0/default.png": SAME,
    "full/max/0/color.png": SAME,
    "10,20,300,200/full/0/default.png": SAME,
    "700,500,300,300/full/0/default.png": SAME,
    "square/full/0/default.png": SAME,
    "full/400,/0/default.png": RESAMPLED,
    "full/,300/0/default.png": RESAMPLED,
    "full/123,/0/default.png": RESAMPLED,
    "full/pct:25/0/default.png": RESAMPLED,
    "full/pct:33.3/0/default.png": RESAMPLED,
    "full/200,150/0/default.png": RESAMPLED,
    "full/150,300/0/default.png": RESAMPLED,
    "full/!200,200/0/default.png": RESAMPLED,
    "0,0,512,512/256,/0/default.png": RESAMPLED,
    "pct:10,10,50,50/200,/0/default.png": RESAMPLED,
    "full/full/90/default.png": SAME,
    "full/full/180/default.png": SAME,
    "full/full/270/default.png": SAME,
    "10,20,300,200/full/90/color.png": SAME,
    "0,0,200,100/50,/90/default.png": RESAMPLED,
    "full/full/0/gray.png": 20.0,  # by the weights of BT.709, the reference's are of BT.601
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """By URL, the reference's picture."""
    folder = tmp_path_factory.mktemp("reference")
    original = folder / "original.png"
    original.write_bytes(picture())
    python = environment(HERE / "reference-requirements.txt") / "bin/python"
    subprocess.run([python, HERE / "reference_images.py", original, folder, *URLS], check=True)
    return {url: (folder / f"{number}.png").read_bytes() for number, url in enumerate(URLS)}


@pytest.fixture(scope="module", autouse=True)
def _image(gateway: Gateway) -> None:
    assert gateway.upload("reference/cat.png", picture()).status_code == 201


def picture() -> bytes:
    return images.png(images.photo(WIDTH, HEIGHT))


@pytest.mark.parametrize("url", URLS)
def test_the_picture_is_the_references(gateway: Gateway, reference: dict[str, bytes], url: str) -> None:
    answer = gateway.public.get(f"/iiif/2/reference%2Fcat.png/{url}")
    assert answer.status_code == 200, answer.text
    found, expected = images.pixels(answer.content).astype(float), images.pixels(reference[url]).astype(float)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() <= URLS[url]
