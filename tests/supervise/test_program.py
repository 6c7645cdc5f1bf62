"""A program whose process is just being started when a successor, or a stop, comes: nothing is left over."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from service.supervise import program
from service.supervise.program import SLOWEST_RESTART, Program, Runner, next_pause
from tests.gateways import alive
from tests.waiting import PATIENCE, eventually

SLEEPING = Program("the sleeper", ["sleep", "600"], lambda _pid: True, signal.SIGTERM, 5.0)


class Starts:
    """Starts processes in order; the one that `hold` announces only when it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pids: list[int] = []
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._hold = False
        self._spawn = program.spawn
        monkeypatch.setattr(program, "spawn", self._start)

    def hold(self) -> None:
        self._hold = True

    async def _start(self, program: Program) -> Process:
        if self._hold:
            self._hold = False
            self.reached.set()
            await self.go_on.wait()
        process = await self._spawn(program)
        self.pids.append(process.pid)
        return process


@pytest.fixture
async def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    return Starts(monkeypatch)


@pytest.fixture
async def runner(starts: Starts) -> AsyncIterator[Runner]:
    """A runner whose program has died, and which is about to start it again."""
    made = Runner(SLEEPING)
    running = asyncio.ensure_future(made.run())
    async with asyncio.timeout(PATIENCE):
        await made.ready.wait()
        starts.hold()
        os.kill(starts.pids[0], signal.SIGKILL)
        await starts.reached.wait()
    yield made
    await made.stop()
    await asyncio.wait({running}, timeout=PATIENCE)
    for pid in filter(alive, starts.pids):
        os.kill(pid, signal.SIGKILL)


async def test_a_successor_that_comes_while_the_program_is_started_again_follows_all_the_same(
    runner: Runner, starts: Starts
) -> None:
    replacing = asyncio.ensure_future(runner.replace(replace(SLEEPING, command=["sleep", "601"])))
    await asyncio.sleep(0.2)  # the successor is prepared by now
    starts.go_on.set()
    async with asyncio.timeout(PATIENCE):
        assert await replacing
    successor = starts.pids[1]
    assert [pid for pid in starts.pids if alive(pid)] == [successor]


async def test_a_stop_that_comes_while_the_program_is_started_again_leaves_nothing(
    runner: Runner, starts: Starts
) -> None:
    stopping = asyncio.ensure_future(runner.stop())
    await asyncio.sleep(0.1)
    starts.go_on.set()
    await stopping
    await asyncio.sleep(0.2)
    await eventually(lambda: not any(alive(pid) for pid in starts.pids))


async def test_a_stop_at_the_end_of_a_reload_starts_nothing_again(
    starts: Starts, caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner(SLEEPING)
    running = asyncio.ensure_future(runner.run())
    async with asyncio.timeout(PATIENCE):
        await runner.ready.wait()
        replacing = asyncio.ensure_future(runner.replace(replace(SLEEPING, ready=lambda _pid: False)))
        await eventually(lambda: len(starts.pids) == 2 and not alive(starts.pids[0]) and not runner.ready.is_set())
    replacing.cancel()
    await asyncio.wait({replacing})
    await runner.stop()
    await running
    assert not [pid for pid in starts.pids if alive(pid)]
    assert (len(starts.pids), caplog.text) == (2, "")


def test_a_program_that_served_for_a_minute_is_started_again_at_once_whatever_came_before() -> None:
    assert next_pause(SLOWEST_RESTART, 60.0) == 0.0


def test_a_program_that_is_never_ready_is_started_ever_less_often() -> None:
    pauses = [0.0]
    while pauses[-1] < SLOWEST_RESTART:
        pauses.append(next_pause(pauses[-1], served=0.0))
    assert pauses == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0]
    assert next_pause(pauses[-1], served=0.0) == 10.0


def test_a_program_that_served_is_never_away_for_long_beside_its_service() -> None:
    """However often it ends: with pauses longer than a second its requests would be refused."""
    for served in (0.5, 5.0, 20.0, 59.0):
        pause = 0.0
        for _ in range(1000):
            pause = next_pause(pause, served)
        assert pause <= max(0.2, served / 10)


async def test_a_program_that_served_long_enough_is_started_again_without_a_pause(
    starts: Starts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(program, "STEADY", 0.05)
    monkeypatch.setattr(program, "QUICKEST_RESTART", 3600.0)
    runner = Runner(SLEEPING)
    running = asyncio.ensure_future(runner.run())
    async with asyncio.timeout(PATIENCE):
        for count in range(1, 6):
            while len(starts.pids) < count or not runner.ready.is_set():
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.06)
            os.kill(starts.pids[-1], signal.SIGKILL)
        while len(starts.pids) < 6:
            await asyncio.sleep(0.01)
    await runner.stop()
    await asyncio.wait({running}, timeout=PATIENCE)
    assert caplog.text.count("it is started again at once") == 5
