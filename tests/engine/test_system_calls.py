"""System calls of an engine process: those of a list, some by their arguments; all others are refused."""

from __future__ import annotations

import fcntl
import platform
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.engine.job import Crashed
from service.engine.pool.pool import EnginePool
from service.engine.sandbox import calls, seccomp
from tests.engine.forbidden import CLONE3, FORBIDDEN, UNKNOWN
from tests.engine.sandboxes import attempt, confined

COLUMN = calls.COLUMNS[platform.machine()]


@pytest.fixture
async def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EnginePool]:
    monkeypatch.delenv(seccomp.VARIABLE, raising=False)
    async with confined(tmp_path) as pool:
        yield pool


async def test_every_other_system_call_is_refused(pool: EnginePool) -> None:
    numbers = {name: row[COLUMN] for name, row in FORBIDDEN.items() if row[COLUMN] is not None}
    outcomes = await attempt(pool, "calls", " ".join(map(str, numbers.values())))
    assert {name: outcome for name, outcome in zip(numbers, outcomes.split(), strict=True) if outcome != "EPERM"} == {}


async def test_a_system_call_that_is_not_known_does_not_exist(pool: EnginePool) -> None:
    """So that a library takes what it has in its place."""
    outcomes = await attempt(pool, "calls", " ".join(map(str, (*UNKNOWN, CLONE3))))
    assert set(outcomes.split()) == {"ENOSYS"}


async def test_no_system_call_of_another_abi_is_taken_for_one_of_this(pool: EnginePool) -> None:
    read_of_the_x32_abi = 0x40000000
    assert await attempt(pool, "calls", read_of_the_x32_abi) == "EPERM"


async def test_some_system_calls_are_refused_by_their_arguments(pool: EnginePool) -> None:
    ioctl, control, prctl = (calls.BY_ARGUMENT[name].numbers[COLUMN] for name in ("ioctl", "fcntl", "prctl"))
    set_dumpable, set_name = 4, 15
    for allowed, outcome in (
        (f"{ioctl} 0 {termios.TCGETS} 0", "ENOTTY"),  # /dev/null is no terminal
        (f"{control} 0 {fcntl.F_GETFL} 0", "done"),
        (f"{prctl} {set_name} 0 0 0 0", "EFAULT"),  # there is no name at address 0
    ):
        assert await attempt(pool, "call", allowed) == outcome
    for refused in (
        f"{ioctl} 0 {termios.TIOCSTI} 0",
        f"{ioctl} 0 {termios.TIOCGPGRP} 0",
        f"{control} 0 {fcntl.F_SETOWN} 1",
        f"{control} 0 {fcntl.F_SETLK} 0",
        f"{prctl} {set_dumpable} 1 0 0 0",
    ):
        assert await attempt(pool, "call", refused) == "EPERM"
    assert await attempt(pool, "set limit", "CPU") == "done"
    assert await attempt(pool, "set limit", "NOFILE") == "EPERM"


async def test_the_numbers_of_allowed_and_forbidden_calls_are_told_apart() -> None:
    special = (calls.CLONE, calls.MMAP, calls.PRLIMIT)
    allowed = [*calls.ALLOWED.values(), *(call.numbers for call in calls.BY_ARGUMENT.values()), *special]
    for column in calls.COLUMNS.values():
        numbers = [row[column] for row in allowed if row[column] is not None]
        assert len(numbers) == len(set(numbers))
        assert not {row[column] for row in FORBIDDEN.values()} & set(numbers)


async def test_in_tests_a_forbidden_call_ends_the_process(
    pool: EnginePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(seccomp.VARIABLE, seccomp.KILL)
    strict = EnginePool(pool._settings)
    await strict.start()
    try:
        for deed, value in (("chmod", tmp_path / "in" / "file"), ("calls", UNKNOWN[0])):
            with pytest.raises(Crashed):
                await attempt(strict, deed, value)
    finally:
        await strict.close()
