"""HTTP by hand, for what no client library sends."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from tests.gateways import Gateway
from tests.waiting import PATIENCE


@contextlib.contextmanager
def connection(gateway: Gateway) -> Iterator[socket.socket]:
    """A connection to the API port."""
    address = (gateway.api.base_url.host, gateway.api.base_url.port or 80)
    with socket.create_connection(address, timeout=PATIENCE) as opened:
        yield opened


def head(method: str, path: str, **headers: object) -> bytes:
    """The head of a request; underscores in names of headers stand for dashes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_head(opened: socket.socket) -> str:
    """What arrives until the end of a head."""
    said = b""
    while b"\r\n\r\n" not in said:
        piece = opened.recv(4096)
        if not piece:
            break
        said += piece
    return said.decode()
