"""Clients that cost little, to measure a server on the machine it runs on: what they take of a core, the
server has not. Connections are kept and used again, as a browser, a balancer or a CDN uses them."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from dataclasses import dataclass, field
from typing import cast

PATIENCE = 15.0  # seconds until a client gives up
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass
class Clients:
    """As many as ask at once, all of one server."""

    host: str
    port: int
    _idle: list[Connection] = field(default_factory=list)

    async def ask(self, path: str) -> tuple[int, float]:
        """The status of the answer, 0 where there was none, and the seconds until the whole of it was there."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                connection = self._idle.pop() if self._idle else await self._connect()
                status = await connection.ask(request(path))
        except (OSError, TimeoutError):
            return 0, time.monotonic() - began
        if connection.is_open:
            self._idle.append(connection)
        return status, time.monotonic() - began

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, self.host, self.port)
        return connection

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self._answer = bytearray()
        self._told: asyncio.Future[int] | None = None

    async def ask(self, question: bytes) -> int:
        """The status, once the whole answer is there. Raises ConnectionError. Leaving early ends it."""
        self._told = asyncio.get_running_loop().create_future()
        self._answer.clear()
        self._transport.write(question)
        try:
            return await self._told
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.is_open = cast(asyncio.Transport, transport), True

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._told and not self._told.done() and is_whole(self._answer):
            self._told.set_result(int(self._answer[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._told and not self._told.done():
            self._told.set_exception(exc or ConnectionResetError("the server closed the connection"))


def timed(host: str, port: int, path: str, seconds: float, pause: float) -> list[float]:
    """Ask for one path again and again, with a pause in between; the seconds that each answer took. For a process of
    its own, so that it waits for no other. Raises RuntimeError for any answer but 200."""
    end, took, question = time.monotonic() + seconds, [], request(path)
    with socket.create_connection((host, port), PATIENCE) as connection:
        while time.monotonic() < end:
            began, answer = time.monotonic(), bytearray()
            connection.sendall(question)
            while not is_whole(answer):
                answer += connection.recv(1 << 20) or _ended()
            if answer[9:12] != b"200":
                raise RuntimeError(f"{path} was answered with {answer[9:12].decode()}")
            took.append(time.monotonic() - began)
            time.sleep(pause)
    return took


def _ended() -> bytes:
    raise RuntimeError("the server closed the connection")


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def is_whole(answer: bytearray) -> bool:
    """Whether this is an answer with all of its body."""
    head = answer.find(_HEAD_END)
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head)
    if length is None:
        return answer.endswith(_LAST_CHUNK)
    return len(answer) >= head + len(_HEAD_END) + int(length[1])
