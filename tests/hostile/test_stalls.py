"""A sender that stops in the middle of a body, or creeps, is told 408 and let go; nothing of what it sent is left.

The service runs in this process, so that it can be made impatient: it waits half a minute otherwise.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.api.http import body
from tests import images
from tests.cache.nodes import Node, node
from tests.hostile.wire import Answer, answers
from tests.waiting import eventually

IDLE, GRACE = 0.4, 0.8
CROWDED = 4.0  # seconds: as long as a busy machine takes to let a crowd in
SOON = 25.0  # seconds more within which everybody has been let go, on a busy machine; it would be 30 without IDLE

PIECE = b"\xff\xd8\xff\xe0" + bytes(100_000)
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
SENDERS = {
    "upload": (b"PUT /images/a.jpg", b"Content-Length: 4000000", PIECE),
    "upload in chunks": (b"PUT /images/a.jpg", b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(PIECE), PIECE)),
    "upload of nothing": (b"POST /images/a.jpg", b"Content-Length: 4000000", b""),
    "form": (
        b"POST /images/a.jpg",
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 4000000",
        FORM + PIECE,
    ),
    "document": (b"POST /purge", b"Content-Type: application/json\r\nContent-Length: 100", b'{"names": ['),
}


@pytest.fixture
async def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(body, "IDLE", IDLE)
    monkeypatch.setattr(body, "GRACE", GRACE)
    async with node(tmp_path, {"limits": {"upload": "8MiB"}}) as running:
        yield running


async def sent(impatient: Node, sender: str, more: bytes = b"") -> tuple[Answer, float]:
    """What a sender is told, until the connection is closed, that stops where SENDERS says, or goes on with `more`, a
    byte every 50 ms; and after how many seconds."""
    line, headers, begun = SENDERS[sender]
    host, _, port = impatient.config.api.listen.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.monotonic()
    writer.write(line + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n" + begun)
    creeping = asyncio.create_task(creep(writer, more))
    try:
        told = await reader.read(1)
        seconds = time.monotonic() - began
        creeping.cancel()
        writer.write_eof()
        (answer,) = answers(told + await reader.read())
        return answer, seconds
    finally:
        creeping.cancel()
        writer.close()


async def creep(writer: asyncio.StreamWriter, more: bytes) -> None:
    for byte in more:
        await asyncio.sleep(0.05)
        writer.write(bytes([byte]))


def left_over(impatient: Node) -> list[str]:
    return [path.name for path in (impatient.root / "var/cache/work").iterdir() if path.is_file()]


async def test_whoever_stalls_or_creeps_is_told_so_and_leaves_nothing(impatient: Node) -> None:
    creeping = sent(impatient, "upload of nothing", bytes(200))
    *told, (slow, patience) = await asyncio.gather(*(sent(impatient, sender) for sender in SENDERS), creeping)
    for sender, (answer, seconds) in zip(SENDERS, told, strict=True):
        assert answer.status == 408, (sender, answer)
        assert answer.problem["type"].endswith("slow-sender"), sender
        assert answer.headers["connection"] == "close", sender
        assert IDLE <= seconds < IDLE + SOON, sender
    assert slow.status == 408
    assert GRACE <= patience < GRACE + SOON
    assert left_over(impatient) == []
    assert (await impatient.api("a.jpg?original=true")).status == 404


async def test_a_crowd_that_stalls_keeps_nobody_from_uploading(
    impatient: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "IDLE", CROWDED)
    monkeypatch.setattr(body, "GRACE", CROWDED)
    crowd = [asyncio.create_task(sent(impatient, "upload")) for _ in range(60)]
    await eventually(lambda: len(left_over(impatient)) >= len(crowd) // 2)
    assert (await impatient.upload("good.jpg", images.jpeg())).status == 201
    assert {answer.status for answer, _ in await asyncio.gather(*crowd)} == {408}
    assert left_over(impatient) == []
    assert (await impatient.api("good.jpg/@w=8.png")).status == 200
