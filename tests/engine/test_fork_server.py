"""The process that engine processes are forked from: what they share with it, and what its death costs."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.engine.job import EngineError, Removed
from service.engine.pool import fork_server, process
from service.engine.sandbox.sandbox import Sandbox
from tests.engine.pools import SERVICE, Begin, job, notes, occupied, running, staffed
from tests.gateways import command_line, descendants
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]

Forks = Callable[[], list[int]]


def below(words: str) -> set[int]:
    return {pid for pid in descendants(os.getpid()) if words in command_line(pid)}


@pytest.fixture(autouse=True)
def others() -> set[int]:
    """Processes of the pools that other tests share."""
    return below("service.engine.pool")


@pytest.fixture
def fork_servers(others: set[int]) -> Forks:
    """The fork servers of the test's own pool."""
    return lambda: sorted(below("service.engine.pool.fork_server") - others)


def kilobytes(pid: int, kind: str) -> int:
    found = re.search(rf"^{kind}: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    assert found
    return int(found[1])


async def test_engine_processes_are_children_of_the_service_and_bear_a_name_of_their_own(
    begin: Begin, fork_servers: Forks, tmp_path: Path
) -> None:
    pool = await begin()
    for pid in await staffed(pool, tmp_path, 2):
        assert int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
        assert command_line(pid).split()[1:] == ["-P", "-m", "service.engine.pool.worker"]
    (server,) = fork_servers()
    assert server not in pool.pids


async def test_engine_processes_share_the_memory_of_what_was_imported(begin: Begin) -> None:
    pool = await begin(module="service.engine.pipeline")
    with pytest.raises(Removed):
        await pool.run(job(), affinity="an original that is not there")
    (pid,) = pool.pids
    assert kilobytes(pid, "Private_Dirty") < kilobytes(pid, "Anonymous") / 2


async def test_engine_process_has_no_descriptor_of_another(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=3)
    for pid in await staffed(pool, tmp_path, 3):
        opened = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
        assert not [name for name in opened if name.startswith("socket:")]
        assert len([name for name in opened if name.startswith("pipe:")]) == 3


async def test_death_of_the_fork_server_costs_no_process_and_no_job(
    begin: Begin, fork_servers: Forks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = await begin(processes=1)
    gate, busy = await occupied(pool, tmp_path)
    pids = pool.pids
    (server,) = fork_servers()
    os.kill(server, signal.SIGKILL)
    await eventually(lambda: fork_servers() not in ([], [server]))
    assert "SIGKILL from outside" in caplog.text
    gate.touch()
    await busy
    assert pool.pids == pids


async def test_processes_are_forked_from_the_next_fork_server(
    begin: Begin, fork_servers: Forks, tmp_path: Path
) -> None:
    pool = await begin(processes=1)
    ended = [*fork_servers(), *await staffed(pool, tmp_path)]
    for pid in ended:
        os.kill(pid, signal.SIGKILL)
    await eventually(lambda: len(pool.pids) == 1 and not set(pool.pids) & set(ended))
    await pool.run(job(), affinity="cat")


async def test_fork_server_that_does_not_answer_is_replaced(
    begin: Begin, fork_servers: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await begin(processes=1)
    (server,), (pid,) = fork_servers(), await staffed(pool, tmp_path)
    monkeypatch.setattr(process, "READY_WITHIN", 0.5)
    os.kill(server, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: not running(server))
    monkeypatch.undo()
    await eventually(lambda: pool.pids not in ([], [pid]))


async def test_nothing_stays_when_the_service_is_killed(tmp_path: Path) -> None:
    (tmp_path / "policy.xml").touch()
    service = subprocess.Popen([sys.executable, "-c", SERVICE, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert service.stdout is not None
    service.stdout.readline()
    await eventually(lambda: notes(tmp_path) == ["runs"])
    started = descendants(service.pid)
    assert len(started) == 3
    service.kill()
    service.wait()
    service.stdout.close()
    await eventually(lambda: not any(running(pid) for pid in started))


async def test_nothing_stays_when_the_pool_is_closed(begin: Begin, fork_servers: Forks, tmp_path: Path) -> None:
    pool = await begin()
    started = [*await staffed(pool, tmp_path, 2), *fork_servers()]
    await pool.close()
    assert not set(started) & set(descendants(os.getpid()))


async def test_thread_that_would_be_lost_stops_the_start(begin: Begin) -> None:
    with pytest.raises(EngineError, match="2 threads run before the first engine process is forked"):
        await begin(module="tests.engine.threaded")


async def test_memory_that_an_image_has_freed_goes_back_to_the_system(begin: Begin) -> None:
    pool = await begin(processes=1, memory=1 << 30)
    pid = (await pool.run(job(), affinity="cat")).bytes
    before = kilobytes(pid, "Rss")
    await pool.run(job(free=96 << 20), affinity="cat")
    assert pool.pids == [pid]
    await eventually(lambda: kilobytes(pid, "Rss") < before + (8 << 10))


def test_want_of_processes_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
        answer = fork_server._fork(Sandbox(os.getpid(), 1 << 28, 1), [], control, None, {})
    assert answer == {"error": "no process can be forked: Resource temporarily unavailable"}
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_start_that_is_cancelled_leaves_no_process(begin: Begin, others: set[int], tmp_path: Path) -> None:
    pool = await begin(processes=1)
    for pid in await staffed(pool, tmp_path):
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0)
    await pool.close()
    assert not below("service.engine.pool") - others
