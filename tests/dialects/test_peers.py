"""thumbor itself and this gateway answer the same URLs with pictures of the same size and nearly the same pixels."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import peers
from tests import images
from tests.dialects.peer_urls import URLS, Asked
from tests.gateways import Gateway, running_gateway

Fetch = Callable[[str], bytes]
WIDTH, HEIGHT = 803, 601  # odd, so that a rounding that differs shows


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "cat.png").write_bytes(images.png(images.photo(WIDTH, HEIGHT)))
    return folder


@pytest.fixture(scope="module")
def thumbor(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetch]:
    with peers.thumbor(pictures, tmp_path_factory.mktemp("thumbor")) as server:
        yield server.fetch


@pytest.fixture(scope="module")
def ours(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {
        "store": {"directory": {"root": str(pictures)}},
        "dialects": {"thumbor": {"prefix": "/thumbor", "unsafe": True}},
    }
    with running_gateway(tmp_path_factory.mktemp("gateway"), options) as running:
        yield running


def _pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.float64)


@pytest.mark.parametrize("asked", URLS, ids=lambda asked: asked.options)
def test_the_picture_is_thumbors(asked: Asked, thumbor: Fetch, ours: Gateway) -> None:
    filters = "" if "filters:" in asked.options else "/filters"
    path = f"/unsafe/{asked.options}{filters}:format(png)/cat.png"
    answer = ours.public.get(f"/thumbor{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "image/png"
    expected, found = _pixels(thumbor(path)), _pixels(answer.content)
    assert found.shape == expected.shape
    if asked.apart is not None:
        assert np.abs(found - expected).mean() < asked.apart
