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
from service.supervise.program import Program, Runner
from tests.gateways import alive

SLEEPING = Program("the sleeper", ["sleep", "600"], lambda _pid: True, signal.SIGTERM, 5.0)


class Starts:
    """Starts processes in order; the one that `hold` announces only when it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pids: list[int] = []
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._hold = False
        self._spawn = program._spawn
        monkeypatch.setattr(program, "_spawn", self._start)

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
    async with asyncio.timeout(30):
        await made.ready.wait()
        starts.hold()
        os.kill(starts.pids[0], signal.SIGKILL)
        await starts.reached.wait()
    yield made
    await made.stop()
    await asyncio.wait({running}, timeout=10)
    for pid in filter(alive, starts.pids):
        os.kill(pid, signal.SIGKILL)


async def test_a_successor_that_comes_while_the_program_is_started_again_follows_all_the_same(
    runner: Runner, starts: Starts
) -> None:
    replacing = asyncio.ensure_future(runner.replace(replace(SLEEPING, command=["sleep", "601"])))
    await asyncio.sleep(0.2)  # the successor is prepared by now
    starts.go_on.set()
    async with asyncio.timeout(20):
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
    assert not any(alive(pid) for pid in starts.pids)
