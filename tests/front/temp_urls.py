"""Temporary URLs as tests ask for them, make them and use them."""

from __future__ import annotations

import hmac
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from tests.gateways import Gateway
from tests.waiting import PATIENCE


def told(gateway: Gateway, name: str, **parameters: str) -> dict[str, Any]:
    answered = gateway.api.get(f"/images/{quote(name)}", params={"url": "true", **parameters})
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    return told


def given(gateway: Gateway, name: str, **parameters: str) -> str:
    return str(told(gateway, name, **parameters)["url"])


def fetch(url: str, method: str = "GET", **headers: str) -> httpx.Response:
    """As anyone would who has nothing but the URL."""
    return httpx.request(method, url, headers=headers, trust_env=False, timeout=PATIENCE)


def status(url: str) -> int:
    return fetch(url).status_code


def key_file(gateway: Gateway) -> Path:
    return gateway.root / "var/derived/@temp-url-key"


def signed(gateway: Gateway, path: str, *, sent: str | None = None, method: str = "GET", key: str = "") -> str:
    """A URL with a good signature for a path, as the holder of the key makes it."""
    expires = int(time.time()) + 60
    key = key or key_file(gateway).read_text().strip()
    signature = hmac.new(key.encode(), f"{method}\n{expires}\n{path}".encode(), "sha256").hexdigest()
    base = f"http://127.0.0.1:{gateway.public.base_url.port}"
    return f"{base}{sent or quote(path)}?temp_url_sig={signature}&temp_url_expires={expires}"


def raw(gateway: Gateway, url: str) -> int:
    """The status of a request whose path reaches nginx as it is written here."""
    parts = urlsplit(url)
    with socket.create_connection(("127.0.0.1", gateway.public.base_url.port or 0), timeout=PATIENCE) as connection:
        path = url.partition(parts.netloc)[2]
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return int(connection.recv(12).decode().split()[1])
