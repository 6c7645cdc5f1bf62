"""The originals' container: made where the configuration says so, else told how to make it."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.store.errors import StoreError
from service.store.swift.store import SwiftStore
from tests import images
from tests.conftest import swift_options
from tests.gateways import running_gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client, put, settings_for, started


async def test_a_missing_container_stops_the_start_with_the_line_that_makes_it(swift: SwiftServer) -> None:
    store = SwiftStore(settings_for(swift.url, container="my images"))
    with pytest.raises(StoreError, match=r"make it with: swift post 'my images' \(or set store.swift.create: true\)"):
        await store.start()
    await store.close()


async def test_with_create_the_start_makes_it(swift: SwiftServer, tmp_path: Path) -> None:
    settings = settings_for(swift.url, create=True)
    async with started(settings) as store:
        client(swift.url).head_container(settings.container)
        await put(store.originals, tmp_path, "cat.jpg")


async def test_with_create_it_comes_back_when_it_is_deleted_meanwhile(swift: SwiftServer, tmp_path: Path) -> None:
    settings = settings_for(swift.url, create=True)
    async with started(settings) as store:
        client(swift.url).delete_container(settings.container)
        await put(store.originals, tmp_path, "cat.jpg")
        assert (await store.originals.stat("cat.jpg")).bytes == 5


def test_a_derived_image_goes_to_swift_by_default(swift: SwiftServer, tmp_path: Path) -> None:
    options = swift_options(swift)
    with running_gateway(tmp_path / "g", options) as gateway:
        gateway.upload("cat.jpg", images.jpeg(images.photo(200, 150)))
        assert gateway.public.get("/images/cat.jpg/@w=80.webp").headers["X-Cache"] == "MISS"
    # the gateway's stop waits for what is on its way
    container = options["store"]["swift"]["derived_container"]
    assert client(swift.url).head_object(container, "cat.jpg/@w=80.webp")["content-type"] == "image/webp"
