"""Changes behind the gateways' backs are seen while an image is used: the store is asked for it, behind the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

import httpx
import pytest

from tests import images
from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.swift.faults import Fault, FaultProxy, answer
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.swift.test_gateway import proxy_before, through
from tests.waiting import PATIENCE, until

HIDDEN = "x" * 300 + "/a.png"  # no file system holds such a segment: it lies under a hash
NAMES = ["a.png", "with space/ü \\ %.png", HIDDEN]
Behind = tuple[Gateway, FaultProxy, str]


def picture(number: int) -> bytes:
    return images.png(images.flat(8, 8, colour(number)))


def colour(number: int) -> tuple[int, int, int]:
    return (number, 255 - number, 7)


def colour_of(response: httpx.Response) -> tuple[int, ...]:
    assert response.status_code == 200, response.text
    return tuple(int(channel) for channel in images.pixels(response.content)[1, 1])


@pytest.fixture(scope="module")
def behind(swift: SwiftServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """A gateway on a Swift whose listing of the originals lags behind for ever: it is empty."""
    with proxy_before(swift.url) as proxy:
        options = through(swift_options(swift), proxy)
        options["cache"] = {"revalidate": "500ms", "revalidate_max": "1s"}
        container = options["store"]["swift"]["container"]
        for name in (*NAMES, "idle.png", "gone.png"):
            put(swift, container, name, picture(1))
        frozen = answer("200 OK", b"[]", "Content-Type: application/json")
        proxy.fault = Fault(when=lambda line: line.startswith("GET") and f"/{container}?" in line, answer=frozen)
        with running_gateway(tmp_path_factory.mktemp("used"), options) as running:
            yield running, proxy, container


def put(swift: SwiftServer, container: str, name: str, data: bytes) -> None:
    """As another application does it."""
    with closing(client(swift.url)) as connection:
        connection.put_object(container, name, data, content_type="image/png")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recipe", ["@w=4.png", "?w=4&format=png"])
def test_a_replacement_by_another_program_is_seen_while_it_is_used_though_the_listing_lags(
    behind: Behind, swift: SwiftServer, name: str, recipe: str
) -> None:
    gateway, _, container = behind
    address = f"/images/{quote(name)}" + (recipe if recipe.startswith("?") else f"/{recipe}")
    before = colour_of(gateway.public.get(address))
    number = 40 + before[0]
    until(lambda: gateway.public.get(address).headers["X-Cache"] == "HIT-DISK")
    put(swift, container, name, picture(number))
    until(lambda: colour_of(gateway.public.get(address)) == colour(number))
    assert gateway.api.get("/stats").json()["swept"] is None


@pytest.mark.slow
def test_one_that_was_idle_is_seen_after_its_first_use_and_not_asked_for_before(
    behind: Behind, swift: SwiftServer
) -> None:
    gateway, proxy, container = behind
    address = "/images/idle.png/@w=4.png"
    until(lambda: gateway.public.get(address).headers["X-Cache"] == "HIT-DISK")
    use_another(gateway, proxy, container, swift)  # by then what was used before is asked for
    put(swift, container, "idle.png", picture(2))
    asked = count(proxy, f"HEAD /v1/AUTH_test/{container}/idle.png")
    use_another(gateway, proxy, container, swift)  # by then this would have been due
    assert count(proxy, f"HEAD /v1/AUTH_test/{container}/idle.png") == asked
    gateway.public.get(address)
    marker = gateway.derived / "idle.png/@base"
    until(lambda: not marker.exists())  # by no further use
    assert colour_of(gateway.public.get(address)) == colour(2)


def use_another(gateway: Gateway, proxy: FaultProxy, container: str, swift: SwiftServer) -> None:
    """Use a new image until the store was asked for it twice: nginx has told by then what was used before."""
    name = f"another-{len(proxy.lines)}.png"
    put(swift, container, name, picture(1))

    def is_asked() -> bool:
        gateway.public.get(f"/images/{name}/@w=4.png")
        return count(proxy, f"HEAD /v1/AUTH_test/{container}/{name}") >= 2

    until(is_asked)


def count(proxy: FaultProxy, beginning: str) -> int:
    return sum(line.startswith(beginning) for line in proxy.lines)


@pytest.mark.slow
def test_a_deletion_by_another_program_is_seen_and_stats_and_metrics_tell(behind: Behind, swift: SwiftServer) -> None:
    gateway, _, container = behind
    address = "/images/gone.png/@w=4.png"
    gateway.public.get(address)
    with closing(client(swift.url)) as connection:
        connection.delete_object(container, "gone.png")
    until(lambda: gateway.public.get(address).status_code == 404)
    stats = gateway.api.get("/stats").json()
    assert (stats["revalidation"], stats["swept"]) == ("head", None)
    assert stats["asked"] > 0
    text = gateway.api.get("/metrics").text
    assert 'image_gateway_revalidation_mode{mode="head"} 1.0' in text
    changed = re.search(r'^image_gateway_revalidations_total\{outcome="changed"\} (\S+)$', text, re.M)
    assert changed
    assert float(changed[1]) >= 1


@pytest.mark.slow
def test_only_nginx_tells_what_is_used_and_it_must_make_sense(behind: Behind) -> None:
    gateway, _, _ = behind
    assert gateway.api.post("/used", content="1 a.png\n").status_code == 404
    assert gateway.public.post("/used", content="1 a.png\n").status_code in (404, 405)
    transport = httpx.HTTPTransport(uds=str(gateway.root / "var/run/service.sock"))
    with httpx.Client(transport=transport, timeout=PATIENCE) as nginx:
        for wrong in (b"a.png", b"-1 a.png", b"1"):
            assert nginx.post("http://nginx/used", content=wrong).status_code == 400
        foreign = rb"3 \xFF.png" + b"\n2 ../x\n1 @/x\n"
        assert nginx.post("http://nginx/used", content=foreign).status_code == 204
