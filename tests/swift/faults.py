"""A proxy on loopback that passes requests to a Swift, and spoils the chosen ones."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to requests whose first line satisfies `when`, for the first `times` of them.

    One of: `answer` is sent in place of Swift's, to all of `together` when all are there; `silent`: nothing is sent,
    and the connection is reset when this is no longer the fault; `refuse`: the connection is reset at once; `lose`:
    Swift does it, but its answer is lost; `take`: bytes of the request that arrive before the connection is reset;
    `delay`: seconds before Swift is asked. Or Swift's answer is spoiled: `cut` after so many bytes of its body, `flip`
    the byte there, `rate` in bytes per second.
    """

    when: Callable[[str], bool] = lambda line: True
    times: int = 1_000_000
    answer: bytes | None = None
    together: asyncio.Barrier | None = None
    silent: bool = False
    refuse: bool = False
    lose: bool = False
    take: int | None = None
    delay: float = 0.0
    cut: int | None = None
    flip: int | None = None
    rate: int | None = None
    seen: list[str] = field(default_factory=list)

    def applies(self, line: str) -> bool:
        if self.times <= 0 or not self.when(line):
            return False
        self.times -= 1
        self.seen.append(line)
        return True


NO_FAULT = Fault(times=0)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class FaultProxy:
    """Listens at `url`. `fault` may be changed at any time; `lines` are the request lines seen."""

    def __init__(self, upstream: str) -> None:
        host, _, port = upstream.removeprefix("http://").rpartition(":")
        self._upstream = host, int(port)
        self._tasks: set[asyncio.Task[None]] = set()
        self.fault = NO_FAULT
        self.lines: list[str] = []
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[FaultProxy]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.split(b"\r\n", 1)[0].decode()
        self.lines.append(line)
        fault = self.fault if self.fault.applies(line) else NO_FAULT
        if fault.refuse:
            return _reset(writer)
        if fault.silent:
            while self.fault is fault:
                await asyncio.sleep(0.05)
            return _reset(writer)
        if fault.take is not None:
            await reader.readexactly(fault.take)
            return _reset(writer)
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        if fault.answer is not None:
            if fault.together:
                await fault.together.wait()
            writer.write(fault.answer)
            return await writer.drain()
        await asyncio.sleep(fault.delay)
        source, sink = await asyncio.open_connection(*self._upstream)
        try:
            # One request for each connection: then the answer ends where the connection does.
            head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
            sink.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
            await _pass_on(source, writer, fault)
        finally:
            sink.close()


async def _pass_on(source: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault) -> None:
    head = await source.readuntil(b"\r\n\r\n")
    if fault.lose:
        await source.read()
        _reset(writer)
        return
    writer.write(head)
    passed = 0
    while chunk := await source.read(16_384):
        if fault.flip is not None and passed <= fault.flip < passed + len(chunk):
            spoiled = bytearray(chunk)
            spoiled[fault.flip - passed] ^= 0x55
            chunk = bytes(spoiled)
        if fault.cut is not None and passed + len(chunk) > fault.cut:
            writer.write(chunk[: fault.cut - passed])
            await writer.drain()
            _reset(writer)
            return
        writer.write(chunk)
        await writer.drain()
        passed += len(chunk)
        if fault.rate is not None:
            await asyncio.sleep(len(chunk) / fault.rate)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a RST, as a server that died does."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
