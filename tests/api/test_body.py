"""Senders that are slow, or stop."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from unittest.mock import MagicMock, call

import pytest

from service.api.http import body
from service.api.http.body import BLOCK, GRACE, IDLE, SLOWEST, Patience, receive
from service.api.http.errors import SlowSender
from service.uploads.incoming import Incoming
from tests.waiting import eventually


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pause_is_borne_for_so_long() -> None:
    clock = Clock()
    patience = Patience(clock)
    assert patience.left(0) == IDLE
    clock.now = 10.0
    assert patience.left(100 * SLOWEST) == IDLE


def test_whoever_is_slower_than_the_slowest_runs_out_of_grace() -> None:
    clock = Clock()
    patience = Patience(clock)
    clock.now = GRACE + 99.0
    assert patience.left(100 * SLOWEST) == pytest.approx(1.0)
    assert patience.left(98 * SLOWEST) < 0


async def test_a_sender_that_stops_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "IDLE", 0.01)
    with pytest.raises(SlowSender):
        await Patience().wait(asyncio.sleep(10), 0)


async def test_a_body_in_pieces_of_any_size_arrives_whole(tmp_path: Path) -> None:
    pieces = [b"a" * size for size in (1, BLOCK - 1, 2 * BLOCK, 7, BLOCK)]
    left = [*pieces, b""]

    async def read() -> bytes:
        return left.pop(0)

    path = tmp_path / "upload"
    with path.open("wb") as file:
        upload = Incoming(path, 10 * BLOCK, file)
        upload.also_hash(("md5",))
        await receive(read, upload, Patience())
    assert path.read_bytes() == b"".join(pieces)
    assert upload.md5 == hashlib.md5(b"".join(pieces)).hexdigest()


class Piece(bytes):
    """A piece that counts itself in `gone` at its end."""

    gone = 0

    def __del__(self) -> None:
        Piece.gone += 1


@pytest.mark.parametrize("paused", [False, True], ids=["quick", "while aiohttp has paused too"])
async def test_nothing_of_a_body_is_in_memory_but_the_piece_that_is_written(tmp_path: Path, *, paused: bool) -> None:
    transport = MagicMock()
    request = MagicMock(transport=transport, protocol=MagicMock(_reading_paused=paused))
    sizes = [BLOCK, 2 * BLOCK, 0]
    Piece.gone = 0

    async def read() -> bytes:
        await eventually(lambda: Piece.gone == 3 - len(sizes))  # a thread lets go of it in a moment
        return Piece(sizes.pop(0))

    class Paused(Incoming):
        def write(self, *chunks: bytes) -> None:
            assert transport.mock_calls[-1] == call.pause_reading()
            super().write(*chunks)

    path = tmp_path / "upload"
    with path.open("wb") as file:
        await receive(read, Paused(path, 10 * BLOCK, file), Patience(), request)
    assert path.stat().st_size == 3 * BLOCK
    assert (
        transport.mock_calls
        == ([call.pause_reading()] if paused else [call.pause_reading(), call.resume_reading()]) * 3
    )
