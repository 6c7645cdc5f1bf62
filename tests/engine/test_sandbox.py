from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from service.engine.job import Crashed, Header, NotAnImage, TooLarge
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox import seccomp
from service.engine.sandbox.sandbox import sandbox_report
from tests.engine.pools import staffed
from tests.engine.sandboxes import FORMATS, MEMORY, TRY, attempt, confined

DENIED = ("EPERM", "EACCES")


@pytest.fixture
async def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EnginePool]:
    monkeypatch.delenv(seccomp.VARIABLE, raising=False)
    async with confined(tmp_path) as pool:
        yield pool


def test_report_names_every_bar_and_tells_in_words_where_one_is_missing() -> None:
    report = sandbox_report()
    assert all(state is True or (isinstance(state, str) and state) for state in report.values())
    for everywhere in ("memory", "file size", "open files", "core files", "cpu time", "no new privileges"):
        assert report[everywhere] is True
    assert {"network", "file system", "system calls", "new processes"} < set(report)


async def test_kernel_agrees_with_what_the_process_reports(pool: EnginePool) -> None:
    assert pool.sandbox == sandbox_report()
    (pid,) = pool.pids
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert status["NoNewPrivs"] == "1"
    assert (status["Seccomp"] == "2") == (pool.sandbox["system calls"] is True)
    assert [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Amb")] == [0, 0, 0, 0]
    if os.geteuid() == 0:  # others cannot empty it, and cannot gain what is in it
        assert int(status["CapBnd"], 16) == 0


async def test_every_coder_works_inside(pool: EnginePool, tmp_path: Path) -> None:
    for source, coder in FORMATS.items():
        original = tmp_path / "in" / f"original.{source}"
        Image.effect_noise((64, 48), 40).convert("RGB").save(original, coder)
        for target, wanted in FORMATS.items():
            output = tmp_path / "out" / f"from-{source}.{target}"
            job = replace(TRY, task="derive", source=str(original), header=Header(source, 64, 48), format=target)
            await pool.run(replace(job, output=str(output)), affinity="")
            with Image.open(output) as made:
                made.load()
                assert (made.format, made.size) == (wanted, (64, 48))
    assert pool.stats.restarts == 0


async def test_files_are_read_and_written_below_the_roots_only(pool: EnginePool, tmp_path: Path) -> None:
    if pool.sandbox["file system"] is not True:
        return  # and the report says so
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere" / "file")
    assert await attempt(pool, "read", tmp_path / "in" / "file") == "done"
    assert await attempt(pool, "read", tmp_path / "in" / "link") in DENIED
    assert await attempt(pool, "read", tmp_path / "elsewhere" / "file") in DENIED
    assert await attempt(pool, "read", tmp_path / "in" / ".." / "elsewhere" / "file") in DENIED
    assert await attempt(pool, "read", "/etc/passwd") in DENIED
    assert await attempt(pool, "read", f"/proc/{os.getpid()}/environ") in DENIED
    assert await attempt(pool, "write", "OUTPUT", tmp_path / "out" / "new") == "done"
    assert (tmp_path / "out" / "new").read_text() == "x"
    assert await attempt(pool, "write", tmp_path / "in" / "file") in DENIED
    assert await attempt(pool, "write", tmp_path / "elsewhere" / "new") in DENIED
    assert await attempt(pool, "write", tmp_path / "conf" / "policy.xml") in DENIED
    assert (tmp_path / "in" / "file").read_text() == "words"


async def test_files_of_other_requests_are_neither_listed_nor_opened(pool: EnginePool, tmp_path: Path) -> None:
    if pool.sandbox["file system"] is not True:
        return  # and the report says so
    result = tmp_path / "out" / "result"
    others = tmp_path / "out" / "engine-of-another"
    (others / "out").mkdir(parents=True)
    (others / "out" / "0").write_text("words")
    for folder in (tmp_path / "in", tmp_path / "out", others / "out", "RESULTS", "RESULTS/../in", "RESULTS/.."):
        assert await attempt(pool, "list", folder, result) in DENIED
    for file in (others / "out" / "0", tmp_path / "out" / "file"):
        assert await attempt(pool, "read", file, result) in DENIED
        assert await attempt(pool, "write", file, result) in DENIED
    assert await attempt(pool, "write", "RESULTS/../in/0", result) in DENIED


async def test_an_original_that_lies_elsewhere_is_read_and_not_written(pool: EnginePool, tmp_path: Path) -> None:
    original = tmp_path / "elsewhere" / "file"
    for deed, outcomes in (("read", ("done",)), ("write", DENIED)):
        job = replace(TRY, source=str(original), recipe={deed: "SOURCE"})
        try:
            await pool.run(job, affinity="")
        except NotAnImage as refused:
            assert str(refused) in outcomes
        else:
            assert "done" in outcomes
    assert original.read_text() == "words"
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [tmp_path / "out" / "file"]


async def test_root_without_capabilities_reads_originals_of_other_users_too(pool: EnginePool, tmp_path: Path) -> None:
    """The service reads them, for it keeps its capabilities, as after a start as another user."""
    original = tmp_path / "in" / "of another"
    original.write_text("words")
    original.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(original, 12345, 12345)
    await pool.run(replace(TRY, source=str(original), recipe={"read": "SOURCE"}), affinity="")


async def test_no_file_is_made_and_so_their_number_and_sum_are_bounded(pool: EnginePool, tmp_path: Path) -> None:
    if pool.sandbox["file system"] is not True:
        return  # and the report says so
    result = tmp_path / "out" / "result"
    for folder in ("RESULTS", "RESULTS/../in", tmp_path / "out", tmp_path / "in"):
        assert await attempt(pool, "make many", folder, result) in DENIED
    assert await attempt(pool, "memory file", "hidden") in DENIED
    for deed in ("rename", "link", "symlink", "remove"):
        assert await attempt(pool, deed, "OUTPUT", result) in DENIED


async def test_a_result_cannot_be_changed_after_it_was_handed_over(pool: EnginePool, tmp_path: Path) -> None:
    """Nor filled, again and again: a process that keeps one open is ended."""
    result, pids = tmp_path / "out" / "result", pool.pids
    assert await attempt(pool, "map", "OUTPUT", result) == "EPERM"
    assert pool.pids == pids
    with pytest.raises(Crashed):
        await attempt(pool, "hold", "OUTPUT", result)
    assert not result.exists()
    assert await attempt(pool, "write", "OUTPUT", result) == "done"
    assert pool.pids != pids


async def test_what_describes_a_file_stays_as_it_is_also_of_its_own(pool: EnginePool, tmp_path: Path) -> None:
    foreign, result = tmp_path / "in" / "file", tmp_path / "out" / "result"
    before = foreign.stat()
    for deed in ("chmod", "chown", "times", "set attribute", "remove attribute"):
        for path in (foreign, "OUTPUT"):
            assert await attempt(pool, deed, path, result) == "EPERM"
    after = foreign.stat()
    assert (after.st_mode, after.st_uid, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_mode,
        before.st_uid,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


async def test_nothing_is_reached_over_a_network(pool: EnginePool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert await attempt(pool, "connect", server.getsockname()[1]) in DENIED
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
        assert await attempt(pool, "socket", int(family)) in DENIED


async def test_no_program_and_no_process_is_started_but_threads_are(pool: EnginePool) -> None:
    assert await attempt(pool, "exec", "/bin/true") in DENIED
    assert await attempt(pool, "program", "/bin/true") in DENIED
    assert await attempt(pool, "fork") in DENIED
    assert await attempt(pool, "thread") == "done"


async def test_other_processes_are_out_of_reach(pool: EnginePool) -> None:
    (pid,) = pool.pids
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert await attempt(pool, "signal", pid) == "done"
    for other in (os.getpid(), 1, -1):
        assert await attempt(pool, "signal", other) in DENIED
    assert await attempt(pool, "limit of", pid) == "done"
    assert await attempt(pool, "limit of", os.getpid()) in DENIED
    assert await attempt(pool, "affinity of", 0) == "done"
    assert await attempt(pool, "affinity of", os.getpid()) == "EPERM"
    for deed in ("pin", "priority of"):
        for target in (0, pid, os.getpid()):
            assert await attempt(pool, deed, target) == "EPERM"
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_privileges_are_not_regained(pool: EnginePool) -> None:
    assert await attempt(pool, "become", 0 if os.getuid() else 12345) in DENIED
    assert await attempt(pool, "raise limit") in DENIED


async def test_memory_ends_at_its_limit_and_the_process_lives(pool: EnginePool) -> None:
    pids = pool.pids
    assert await attempt(pool, "grow", MEMORY // 2) == "done"
    with pytest.raises(TooLarge):
        await attempt(pool, "grow", 2 * MEMORY)
    assert pool.pids == pids


async def test_files_end_at_their_limits(pool: EnginePool, tmp_path: Path) -> None:
    assert await attempt(pool, "write much", "OUTPUT", tmp_path / "out" / "large") == "EFBIG"
    assert await attempt(pool, "open many", tmp_path / "in" / "file") == "EMFILE"


async def test_service_environment_stays_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "confidential")
    (tmp_path / "policy.xml").touch()
    settings = EngineSettings(1, MEMORY, 10, 30, 1, tmp_path, (), (), module="tests.engine.faults")
    pool = EnginePool(settings)
    await pool.start()
    try:
        (pid,) = await staffed(pool, tmp_path)
        assert b"confidential" not in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        await pool.close()
