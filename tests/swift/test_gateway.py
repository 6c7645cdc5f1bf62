"""The whole gateway on Swift: what it keeps there, what other nodes take from there, and what a failing Swift costs."""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import images
from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.swift.faults import NO_FAULT, Fault, FaultProxy, answer
from tests.swift.server import SwiftServer
from tests.swift.stores import client

pytestmark = pytest.mark.slow

CAT = images.jpeg(images.photo(200, 150))


@contextmanager
def proxy_before(url: str) -> Iterator[FaultProxy]:
    """The proxy, on a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    proxy = FaultProxy(url)
    running = proxy.running()
    asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def through(options: dict[str, Any], proxy: FaultProxy, **swift: Any) -> dict[str, Any]:
    """The configuration with Swift behind the proxy."""
    changed = {**options["store"]["swift"], "auth_url": f"{proxy.url}/auth/v1.0", "timeout": "30s", **swift}
    return {**options, "store": {"kind": "swift", "swift": changed}}


@pytest.fixture(scope="module")
def options(swift: SwiftServer) -> dict[str, Any]:
    return swift_options(swift)


def test_a_node_with_an_empty_disk_takes_a_derived_image_from_swift(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path
) -> None:
    options = {**options, "cache": {"persist": "always"}}
    name = "/images/nodes/cat.jpg/@w=80.webp"
    with running_gateway(tmp_path / "one", options) as one:
        assert one.upload("nodes/cat.jpg", CAT).status_code == 201
        made = one.public.get(name)
        assert made.headers["X-Cache"] == "MISS"
    with running_gateway(tmp_path / "two", options) as two:
        taken = two.public.get(name)
        assert taken.headers["X-Cache"] == "HIT-STORE"
        assert taken.content == made.content
        for validator in ("ETag", "Last-Modified"):
            assert taken.headers[validator] == made.headers[validator]
    container = options["store"]["swift"]["derived_container"]
    kept = client(swift.url).head_object(container, "nodes/cat.jpg/@w=80.webp")
    assert kept["content-type"] == "image/webp"
    provenance = {f"x-object-meta-{key}" for key in ("original-etag", "software", "engine")}
    assert {key for key in kept if key.startswith("x-object-meta-")} >= provenance


@pytest.mark.parametrize("name", ["plain.jpg", "a?b#c%d.jpg", "sp ace/ü 猫.jpg"])
def test_temporary_urls_of_originals_and_derived_images_work_with_curl(
    options: dict[str, Any], tmp_path: Path, name: str
) -> None:
    raw = "".join(f"%{byte:02X}" if byte != ord("/") else "/" for byte in name.encode())
    with running_gateway(tmp_path / "g", options) as gateway:
        gateway.upload(raw, CAT, replace="true")
        for query, wanted in (("url=true&original=true", CAT), ("url=true&w=50&format=png", None)):
            answered = gateway.api.get(f"/images/{raw}?{query}")
            assert answered.status_code == 200, answered.text
            fetched = subprocess.run(
                ["curl", "-sf", answered.json()["url"]], capture_output=True, check=False, timeout=120
            )
            assert fetched.returncode == 0
            assert fetched.stdout == wanted if wanted else images.pixels(fetched.stdout).shape == (38, 50, 3)


def test_a_large_original_is_answered_by_a_redirect_where_that_is_configured(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(proxy_before(swift.url))
        gateway = stack.enter_context(running_gateway(tmp_path / "g", through(options, proxy, redirect="1KiB")))
        gateway.upload("large.jpg", CAT, replace="true")
        redirect = gateway.api.get("/images/large.jpg?original=true")
        assert redirect.status_code == 307
        assert redirect.headers["Cache-Control"] == "private, no-store"
        assert gateway.api.get(redirect.headers["Location"]).content == CAT
        redirect = gateway.api.get("/images/large.jpg/@w=190.png")
        assert redirect.status_code == 307
        assert images.pixels(gateway.api.get(redirect.headers["Location"]).content).shape == (143, 190, 3)
        for query, kind in (("download=1&filename=holidays.gif", "attachment"), ("filename=holidays", "inline")):
            saved = gateway.api.get(f"/images/large.jpg/@w=190.png?{query}", follow_redirects=True)
            assert len(saved.history) == 1
            assert saved.headers["Content-Disposition"].startswith(f'{kind}; filename="holidays.png"')
        assert gateway.api.get("/images/large.jpg/@w=8.jpg").status_code == 200


@pytest.mark.parametrize("status", ["413 Request Entity Too Large", "507 Insufficient Storage", "400 Bad Request"])
def test_a_large_image_that_the_container_does_not_take_is_answered_itself(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path, status: str
) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(proxy_before(swift.url))
        gateway = stack.enter_context(running_gateway(tmp_path / "g", through(options, proxy, redirect="1KiB")))
        gateway.upload("large.jpg", CAT, replace="true")
        derived = options["store"]["swift"]["derived_container"]
        proxy.fault = Fault(lambda line: line.startswith("PUT ") and derived in line, answer=answer(status))
        answered = gateway.api.get("/images/large.jpg/@w=191.png")
        assert proxy.fault.seen
        assert answered.status_code == 200
        assert images.pixels(answered.content).shape == (143, 191, 3)


def test_a_checksum_that_somebody_else_wrote_and_that_is_none_is_not_told(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path
) -> None:
    container = options["store"]["swift"]["container"]
    for name, checksum in (("words.jpg", "q+/=zz"), ("short.jpg", "00ff")):
        client(swift.url).put_object(container, name, CAT, headers={"X-Object-Meta-Sha256": checksum})
    with running_gateway(tmp_path / "g", options) as gateway:
        for name in ("words.jpg", "short.jpg"):
            found = gateway.api.get(f"/images/{name}?original=true")
            assert (found.status_code, found.content) == (200, CAT)
            assert "Repr-Digest" not in found.headers


FAULTS = {
    "refusing": Fault(refuse=True),
    "silent": Fault(silent=True),
    "overloaded": Fault(answer=answer("503 Service Unavailable")),
    "talking nonsense": Fault(answer=b"what?\r\n\r\n"),
    "cutting": Fault(lambda line: line.startswith("GET /v1"), cut=100),
    "corrupting": Fault(lambda line: line.startswith("GET /v1"), flip=100),
}


@pytest.fixture(scope="module")
def behind(
    swift: SwiftServer, options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, FaultProxy]]:
    """A gateway that asks Swift about an original at every miss, through a proxy that can spoil the answers."""
    with ExitStack() as stack:
        proxy = stack.enter_context(proxy_before(swift.url))
        configured = {**through(options, proxy, timeout="1s", retries=1), "cache": {"revalidate": "100ms"}}
        gateway = stack.enter_context(running_gateway(tmp_path_factory.mktemp("behind"), configured))
        yield gateway, proxy


@pytest.mark.parametrize("kind", FAULTS)
def test_a_failing_swift_costs_only_what_is_not_here(
    swift: SwiftServer, options: dict[str, Any], behind: tuple[Gateway, FaultProxy], kind: str
) -> None:
    gateway, proxy = behind
    here, away = f"{kind.replace(' ', '-')}/here.jpg", f"{kind.replace(' ', '-')}/away.jpg"
    eventually(lambda: gateway.upload(here, CAT, replace="true"), 201)
    client(swift.url).put_object(options["store"]["swift"]["container"], away, CAT)
    hit = f"/images/{here}/@w=40.jpg"
    eventually(lambda: gateway.public.get(hit), 200)

    proxy.fault = FAULTS[kind]
    try:
        assert gateway.public.get(hit).headers["X-Cache"] == "HIT-DISK"
        assert gateway.public.get(f"/images/{here}/@w=41.jpg").status_code == 200
        missing = gateway.public.get(f"/images/{away}/@w=40.jpg")
        assert missing.status_code == 503
        assert missing.headers["Retry-After"]
        if "cut" not in kind and "corrupt" not in kind:
            refused = gateway.upload(f"{kind.replace(' ', '-')}/new.jpg", CAT)
            assert (refused.status_code, bool(refused.headers["Retry-After"])) == (503, True)
    finally:
        proxy.fault = NO_FAULT
    images_dir = gateway.root / "var/cache/derived" / away
    assert not images_dir.exists()

    recovered = eventually(lambda: gateway.public.get(f"/images/{away}/@w=40.jpg"), 200)
    assert images.pixels(recovered.content).shape == (30, 40, 3)


def eventually(ask: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """The answer with this status, once the breaker has let a request through: that takes it a few seconds."""
    for _ in range(600):
        answered = ask()
        if answered.status_code == status:
            return answered
        assert answered.status_code == 503, answered.text
        time.sleep(0.1)
    raise AssertionError("Swift is there again, and the gateway did not notice")
