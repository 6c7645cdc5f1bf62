"""Temporary URLs from a real Swift."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from tests.api.on_swift import Service, running_on_swift
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, cat: bytes, dog: bytes) -> Iterator[Service]:
    with running_on_swift(tmp_path_factory.mktemp("service")) as running:
        for name, data in (("album/cat.jpg", cat), ("album/dog.png", dog)):
            assert running.api.put(f"/images/{name}", content=data).status_code == 201
        yield running


def fetch(url: str) -> httpx.Response:
    """As anyone would, without the gateway."""
    return httpx.get(url, trust_env=False, timeout=PATIENCE)


def test_a_temporary_url_gives_the_derived_image_that_was_made_for_it(service: Service) -> None:
    told = service.api.get(
        "/images/album/cat.jpg", params={"xsize": "40", "kind": "webp", "url": "True", "lifetime": "60"}
    )
    assert told.status_code == 200, told.text
    answered = told.json()
    assert answered["object"] == "album/cat.jpg/@w=40,h=40.webp"
    assert 0 < answered["expires"] - time.time() <= 61
    fetched = fetch(answered["url"])
    assert Image.open(io.BytesIO(fetched.content)).size == (40, 30)
    assert fetched.content == service.api.get("/images/album/cat.jpg/@w=40,h=40.webp").content
    assert "cat.webp" in fetched.headers["Content-Disposition"]


def test_a_temporary_url_in_no_named_format_is_of_the_format_that_was_decided(service: Service) -> None:
    answered = service.api.get("/images/album/cat.jpg?w=30&url=true").json()
    assert answered["object"] == "album/cat.jpg/@w=30.jpg"
    assert fetch(answered["url"]).status_code == 200


def test_an_original_comes_as_it_is_and_may_be_shown(service: Service, cat: bytes) -> None:
    answered = service.api.get("/images/album/cat.jpg?url=true&original=true&inline=true&filename=my%20cat.jpg").json()
    fetched = fetch(answered["url"])
    assert fetched.content == cat
    assert fetched.headers["Content-Disposition"].startswith("inline")
    assert service.api.get("/images/album/none.jpg?url=true&original=true").status_code == 404


def test_a_batch_has_a_result_for_every_name(service: Service) -> None:
    names = ["album/dog.png/@w=9.png", "album/none.png", "album/dog.png/@w=0.png", "album/cat.jpg/@thumbnail.webp"]
    answered = service.api.post("/urls", json={"names": names, "lifetime": 60})
    assert answered.status_code == 200
    results = answered.json()
    assert [one["name"] for one in results] == names
    assert [one["problem"]["status"] if "problem" in one else 200 for one in results] == [200, 404, 400, 200]
    assert all(fetch(one["url"]).status_code == 200 for one in results if "url" in one)


def test_several_urls_are_a_list(service: Service) -> None:
    results = service.api.get("/images/album/?url=True&thumbnail=True").json()
    assert [one["name"] for one in results] == ["album/cat.jpg", "album/dog.png"]
    assert all(fetch(one["url"]).status_code == 200 for one in results)


def test_a_purge_empties_the_derived_container_and_ends_its_urls(service: Service) -> None:
    answered = service.api.get("/images/album/dog.png/@w=7.png?url=true").json()
    assert fetch(answered["url"]).status_code == 200
    purged = service.api.post("/purge", json={"prefix": "album/dog"}).json()
    assert (purged["images"], purged["objects"] >= 1) == (1, True)
    assert fetch(answered["url"]).status_code == 404


def test_the_checksum_of_an_original_survives_in_the_store(service: Service, cat: bytes) -> None:
    digest = service.api.head("/images/album/cat.jpg?original=true").headers["Repr-Digest"]
    assert digest.startswith("sha-256=:")
    assert (
        hashlib.sha256(service.api.get("/images/album/cat.jpg?original=true").content).digest()
        == hashlib.sha256(cat).digest()
    )
