"""An original that ends too soon is refused by every way, or shown as far as it goes where the configuration wants."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import images
from tests.gateways import Gateway, running_gateway

WHOLE = {"a.jpg": images.jpeg(), "b.png": images.png(), "c.tif": images.tiff(), "d.webp": images.webp()}
CUT = {name: data[: len(data) * 2 // 3] for name, data in WHOLE.items()}
TURNED = images.oriented(6, upright=images.photo())


def stocked(front: Gateway) -> Gateway:
    """Somebody puts the files into the store by another way than the API."""
    folder = front.root / "var/store/beside"
    folder.mkdir(parents=True)
    for name, data in CUT.items():
        (folder / name).write_bytes(data)
    (folder / "turned.jpg").write_bytes(TURNED[: len(TURNED) * 2 // 3])
    return front


@pytest.fixture(scope="module")
def strict(gateway: Gateway) -> Gateway:
    return stocked(gateway)


@pytest.fixture(scope="module")
def tolerant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("tolerant"), {"formats": {"tolerate_truncated": True}}) as running:
        yield stocked(running)


@pytest.mark.parametrize("name", CUT)
def test_by_default_it_is_422_and_an_upload_leaves_nothing(strict: Gateway, name: str) -> None:
    answer = strict.upload(f"up/{name}", CUT[name])
    assert answer.status_code == 422, answer.text
    assert strict.api.get(f"/images/up/{name}").status_code == 404
    for leaf in ("@full.jpg", "@w=50.png", "@meta.json", "@full" + Path(name).suffix):
        assert strict.api.get(f"/images/beside/{name}/{leaf}").status_code == 422, leaf


@pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.tif"])
def test_where_it_is_tolerated_what_there_is_is_shown(tolerant: Gateway, name: str) -> None:
    assert tolerant.upload(f"up/{name}", CUT[name]).status_code == 201
    for folder in ("up", "beside"):
        for leaf in ("@full.png", "@full" + Path(name).suffix):
            answer = tolerant.public.get(f"/images/{folder}/{name}/{leaf}")
            assert answer.status_code == 200, answer.text
            shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)
            assert np.abs(shown - images.photo())[:120].mean() < 3
    assert tolerant.api.get(f"/images/up/{name}/@meta.json").json()["height"] == 240


def test_one_that_is_stored_turned_is_shown_upright_as_far_as_it_goes(tolerant: Gateway) -> None:
    answer = tolerant.public.get("/images/beside/turned.jpg/@full.jpg")
    shown = np.asarray(Image.open(io.BytesIO(answer.content))).astype(int)
    assert np.abs(shown - images.photo())[:, 160:].mean() < 3  # the first rows as stored are the right columns


def test_what_no_decoder_makes_anything_of_is_422_all_the_same(tolerant: Gateway) -> None:
    assert tolerant.upload("up/d.webp", CUT["d.webp"]).status_code == 422
    assert tolerant.public.get("/images/beside/d.webp/@w=50.png").status_code == 422
