"""Which `Host` and which `Origin` are our own."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.hosts import HostName, authority, is_own_host, is_own_origin

LISTEN = "images.internal:8081"
HOSTS = ["pictures.example"]


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:8081", "LOCALHOST", "localhost.", "localhost.:80"),
        *("127.0.0.1", "127.0.0.1:8081", "192.0.2.7", "[::1]", "[::1]:8081", "[2001:DB8::7]:80", "192.0.2.7."),
        *("images.internal", "Images.Internal:1", "images.internal.:8081", "pictures.example", "PICTURES.example.:443"),
        *(" localhost ", "localhost:"),
    ],
)
def test_addresses_localhost_and_configured_names_are_our_own(host: str) -> None:
    assert is_own_host(authority(host), LISTEN, HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8081", "localhost.evil.example", "x.localhost", "127.0.0.1.evil.example"),
        *("pictures.example.evil.example", "a.pictures.example", "localhost@evil.example", "evil.example#localhost"),
        *("localhost/evil.example", "[localhost]", "[::1].evil.example", "::1:evil", "localhost:80:80", "localhost:x"),
        *("0x7f000001", "127.1", "2130706433", "[::1", "", ".", "localhost..", "local\thost", "l\xf6calhost"),
    ],
)
def test_every_other_name_and_what_is_no_host_is_not(host: str) -> None:
    assert not is_own_host(authority(host), LISTEN, HOSTS)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8081", "localhost:8081"),
        ("http://LocalHost.:8081", "localhost:8081"),
        ("http://127.0.0.1:8081", "127.0.0.1:8081"),
        ("http://[::1]:8081", "[::1]:8081"),
        ("http://images.internal", "images.internal:80"),
        ("https://images.internal", "images.internal:443"),
        ("https://images.internal", "images.internal"),
        ("https://pictures.example", "127.0.0.1:8081"),
        ("https://pictures.example:8443", "127.0.0.1:8081"),
    ],
)
def test_an_origin_is_our_own_where_it_is_the_host_or_has_a_configured_name(origin: str, host: str) -> None:
    assert is_own_origin(origin, host, HOSTS)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "localhost:8081"),
        ("", "localhost:8081"),
        ("http://localhost:3000", "localhost:8081"),
        ("http://localhost", "localhost:8081"),
        ("http://127.0.0.1:8081", "localhost:8081"),
        ("http://evil.example", "127.0.0.1:8081"),
        ("https://a.pictures.example", "127.0.0.1:8081"),
        ("http://pictures.example@evil.example", "127.0.0.1:8081"),
        ("file://", "localhost:8081"),
        ("localhost:8081", "localhost:8081"),
        ("http://", ""),
        ("http://evil.example", ""),
    ],
)
def test_any_other_origin_is_not(origin: str, host: str) -> None:
    assert not is_own_origin(origin, host, HOSTS)


def test_a_configured_host_is_a_name_and_nothing_else() -> None:
    adapter = TypeAdapter(HostName)
    assert adapter.validate_python("Images.Internal.") == "images.internal"
    for wrong in ("images.internal:8081", "http://images.internal", "*", "127.0.0.1", "::1", "", "a b", 7):
        with pytest.raises(ValidationError, match="must be a name without a port"):
            adapter.validate_python(wrong)
