"""HTTP as bytes: what no client library would send, and what really comes back."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE = 20.0  # seconds for an answer


@dataclass(frozen=True)
class Answer:
    """One answer; `headers` by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body of a failure, which must be one."""
        assert self.headers.get("content-type") == "application/problem+json", (self.status, self.headers, self.body)
        told: dict[str, Any] = json.loads(self.body)
        assert told["status"] == self.status
        return told


def connect(client: httpx.Client, timeout: float = PATIENCE) -> socket.socket:
    """A connection to the port that the client speaks to."""
    url = client.base_url
    return socket.create_connection((url.host, url.port or 80), timeout=timeout)


def exchange(
    client: httpx.Client, data: bytes, *, patience: float = PATIENCE, silence: float = PATIENCE
) -> list[Answer]:
    """Send bytes and give every answer that comes, as `receive` waits for them."""
    with connect(client, patience) as connection:
        with contextlib.suppress(ConnectionError):  # an answer may come before everything was taken
            connection.sendall(data)
        return answers(receive(connection, patience, silence))


def receive(connection: socket.socket, patience: float = PATIENCE, silence: float = PATIENCE) -> bytes:
    """Everything until the other side closes, or says nothing for `patience` seconds at first, then for `silence`."""
    received = b""
    while True:
        connection.settimeout(silence if received else patience)
        try:
            chunk = connection.recv(65536)
        except (TimeoutError, ConnectionError):
            return received
        if not chunk:
            return received
        received += chunk


def answers(data: bytes) -> list[Answer]:
    """The answers in a stream of bytes, each of the length that it says."""
    found = []
    while data.startswith(b"HTTP/1."):
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", len(data)))
        found.append(Answer(int(first.split()[1]), headers, data[:length]))
        data = data[length:]
    assert not data, data[:200]
    return found


def get(target: bytes, *headers: bytes, method: bytes = b"GET", close: bool = True) -> bytes:
    """The bytes of a request with this very target."""
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: localhost", *headers]
    return b"\r\n".join([*lines, *([b"Connection: close"] if close else []), b"", b""])
