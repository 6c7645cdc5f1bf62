"""A real Varnish forgets what a change of the gateway made old, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from PIL import Image

from tests.gateways import Gateway, free_ports, running_gateway
from tests.outbox.boxes import in_folder
from tests.outbox.varnish import running_varnish
from tests.waiting import until

RED, BLUE = (200, 40, 40), (40, 40, 200)


@dataclass(frozen=True)
class Behind:
    """A gateway, and the Varnish that caches its public port."""

    gateway: Gateway
    varnish: httpx.Client

    def seen(self, path: str) -> tuple[int, int]:
        """The status, and how often Varnish has given this answer by itself."""
        answer = self.varnish.get(path)
        return answer.status_code, int(answer.headers["hits"])

    def is_blue(self, path: str) -> bool:
        return self.colour(path) == BLUE

    def colour(self, path: str) -> tuple[int, ...]:
        with Image.open(io.BytesIO(self.varnish.get(path).content)) as image:
            found = image.convert("RGB").getpixel((10, 10))
        assert isinstance(found, tuple)
        return found


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    root = tmp_path_factory.mktemp("varnish")
    (port,) = free_ports(1)
    cdn = {"kind": "varnish", "urls": [f"http://127.0.0.1:{port}/"]}
    with running_gateway(root / "gateway", {"cdn": cdn}) as gateway:
        backend = gateway.public.base_url.port
        assert backend
        with running_varnish(root / "varnish", port, backend) as varnish:
            yield Behind(gateway, varnish)


@pytest.mark.parametrize("name", ["cat.png", "pets/of us/cat, 1.png", "pets/köter.png"])
def test_a_replaced_image_is_fetched_anew_with_all_of_its_sizes(
    behind: Behind, cat: bytes, dog: bytes, name: str
) -> None:
    paths = [f"/images/{httpx.URL(f'/{name}').raw_path.decode()[1:].replace(',', '%2C')}/@w={w}.png" for w in (20, 30)]
    assert behind.gateway.upload(name, cat).status_code == 201
    for path in paths:
        assert behind.colour(path) == RED
        assert behind.seen(path) == (200, 1)
    assert behind.gateway.upload(name, dog, replace="true").status_code == 201
    for path in paths:
        until(partial(behind.is_blue, path))


def test_what_was_not_changed_stays(behind: Behind, cat: bytes, dog: bytes) -> None:
    for name in ("stay/one.png", "stay/other.png"):
        assert behind.gateway.upload(name, cat).status_code == 201
        assert behind.seen(f"/images/{name}/@w=20.png") == (200, 0)
    assert behind.gateway.upload("stay/one.png", dog, replace="true").status_code == 201
    until(lambda: behind.colour("/images/stay/one.png/@w=20.png") == BLUE)
    assert behind.seen("/images/stay/other.png/@w=20.png") == (200, 1)


def test_a_deleted_image_is_gone(behind: Behind, cat: bytes) -> None:
    assert behind.gateway.upload("gone.png", cat).status_code == 201
    assert behind.seen("/images/gone.png/@w=20.png")[0] == 200
    assert behind.gateway.api.delete("/images/gone.png").status_code == 204
    until(lambda: behind.seen("/images/gone.png/@w=20.png")[0] == 404)


@pytest.mark.parametrize(
    ("body", "inside", "outside"),
    [
        ({"names": ["f/a.png", "f/b.png"]}, ["f/a.png", "f/b.png"], ["f/deep/c.png", "other.png"]),
        ({"prefix": "f/"}, ["f/a.png", "f/b.png", "f/deep/c.png"], ["fa.png", "other.png"]),
        ({"prefix": "f"}, ["f/a.png", "f/deep/c.png", "fa.png"], ["other.png"]),
        ({"prefix": "f/d"}, ["f/deep/c.png"], ["f/a.png", "other.png"]),
        ({"all": True}, ["f/a.png", "f/deep/c.png", "other.png"], []),
    ],
)
def test_a_purge_reaches_what_it_names(
    behind: Behind, cat: bytes, body: dict[str, object], inside: list[str], outside: list[str]
) -> None:
    for name in ("f/a.png", "f/b.png", "f/deep/c.png", "fa.png", "other.png"):
        behind.gateway.upload(name, cat)
        assert behind.seen(f"/images/{name}/@w=20.png")[0] == 200
    before = {name: behind.seen(f"/images/{name}/@w=20.png")[1] for name in (*inside, *outside)}
    assert behind.gateway.api.post("/purge", json=body).status_code == 200
    until(lambda: not in_folder(behind.gateway.root / "var/outbox", "outbox"))
    after = {name: behind.seen(f"/images/{name}/@w=20.png")[1] for name in (*inside, *outside)}
    assert {name: after[name] for name in inside} == dict.fromkeys(inside, 0)
    assert {name: after[name] for name in outside} == {name: before[name] + 1 for name in outside}
