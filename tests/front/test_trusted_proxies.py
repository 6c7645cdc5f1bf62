"""Behind trusted proxies the client's address is the one that they append, and no client can claim another's."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from service.api.http.client_address import client_address
from tests.gateways import Gateway, running_gateway

BALANCER, STRANGER = "127.0.0.1", "127.0.0.2"  # an address that the gateway trusts, and one that it does not
AT_ONCE = 20  # misses, whatever the rate


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that makes one image a second for each address, and the first twenty at once."""
    trusted = {"trusted_proxies": [BALANCER, "198.51.100.0/24"]}
    options = {"limits": {"rate": 1}, "public": trusted, "api": trusted}
    with running_gateway(tmp_path_factory.mktemp("proxies"), options) as running:
        yield running


def ask(gateway: Gateway, peer: str, *forwarded: str) -> list[int]:
    """The statuses of twice as many misses as are answered at once, from `peer`, with each X-Forwarded-For in turn."""
    transport = httpx.HTTPTransport(local_address=peer)
    with httpx.Client(base_url=gateway.public.base_url, transport=transport, timeout=60) as client:
        return [
            client.get(f"/images/none.jpg/@w={number + 1}.jpg", headers={"X-Forwarded-For": said}).status_code
            for number, said in zip(range(2 * AT_ONCE), forwarded * 2 * AT_ONCE, strict=False)
        ]


def test_every_client_behind_a_trusted_balancer_has_a_rate_of_its_own(gateway: Gateway) -> None:
    assert 429 in ask(gateway, BALANCER, "203.0.113.1")
    assert ask(gateway, BALANCER, *(f"203.0.113.{number}" for number in range(2, 12))) == [404] * 2 * AT_ONCE
    assert "client: 203.0.113.1," in gateway.log


def test_a_client_behind_a_trusted_balancer_cannot_pretend_to_be_others(gateway: Gateway) -> None:
    pretended = (f"192.0.2.{number}, 203.0.113.20" for number in range(1, 41))
    assert 429 in ask(gateway, BALANCER, *pretended)


def test_trusted_proxies_may_stand_behind_one_another(gateway: Gateway) -> None:
    assert 429 in ask(gateway, BALANCER, "203.0.113.30, 198.51.100.7", "203.0.113.30, 198.51.100.8")
    assert "client: 203.0.113.30," in gateway.log


def test_all_addresses_of_one_ipv6_subscriber_share_a_rate(gateway: Gateway) -> None:
    assert 429 in ask(gateway, BALANCER, *(f"2001:db8:0:1::{number:x}" for number in range(1, 41)))
    others = [404] * 2 * AT_ONCE
    assert ask(gateway, BALANCER, *(f"2001:db8:0:{number:x}::1" for number in range(2, 42))) == others


def test_what_a_stranger_says_of_itself_counts_for_nothing(gateway: Gateway) -> None:
    pretended = (f"203.0.113.{number}" for number in range(100, 140))
    assert 429 in ask(gateway, STRANGER, *pretended)
    assert f"client: {STRANGER}," in gateway.log


@pytest.mark.parametrize(("peer", "told"), [(BALANCER, "203.0.113.50"), (STRANGER, STRANGER)])
def test_the_audit_of_the_api_tells_who_asks(gateway: Gateway, peer: str, told: str) -> None:
    transport = httpx.HTTPTransport(local_address=peer)
    with httpx.Client(base_url=gateway.api.base_url, transport=transport, timeout=60) as client:
        name = f"none-{told}.jpg"
        client.delete(f"/images/{name}", headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.50"})
    (line,) = (line for line in gateway.log.splitlines() if name in line)
    assert f'from="{told}"' in line


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["192.0.2.1, 203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["192.0.2.1", "203.0.113.1 , 10.9.9.9"], "203.0.113.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("fd00::1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::1", ["2001:db8:0:0::2"], "2001:db8::2"),
        ("203.0.113.9", ["192.0.2.1"], "203.0.113.9"),
        ("", ["192.0.2.1"], ""),
    ],
)
def test_the_client_is_the_nearest_that_is_no_trusted_proxy(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, ("10.0.0.0/8", "fd00::/8")) == client
    assert client_address(peer, forwarded, ()) == peer


@pytest.mark.parametrize("path", ["/images/none.jpg/@w=9.jpg", "/images/none.jpg/@w=no.jpg", "/nothing"])
def test_only_a_browser_on_this_machine_reads_where_the_api_is(gateway: Gateway, path: str) -> None:
    api = str(gateway.api.base_url).rstrip("/")
    for client, is_here in (("203.0.113.50", False), ("127.0.0.1", True)):
        page = gateway.public.get(path, headers={"Accept": "text/html", "X-Forwarded-For": client})
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert (f'href="{api}/"' in page.text, "127.0.0.1" in page.text) == (is_here, is_here)
