from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from service.engine.job import Header, Job, Limits, NotAnImage, TooLarge
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox.policy import PolicyLimits, write_configuration
from service.engine.sandbox.sandbox import sandbox_report

MEMORY = 256 << 20
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF", "tif": "TIFF", "bmp": "BMP"}
TRY = Job("verify", "", Header("png", 1, 1), Limits(1, 1, 1, 1))
DENIED = ("EPERM", "EACCES")


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[EnginePool]:
    """One process that may read `in` and write `out`, and tries what it is told."""
    for name in ("in", "out", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("words")
    write_configuration(tmp_path / "conf", FORMATS, FORMATS, PolicyLimits(MEMORY, 10**7, 65535, 100))
    pool = EnginePool(
        EngineSettings(
            processes=1,
            memory=MEMORY,
            recycle=1000,
            time=30,
            queue=4,
            config_dir=tmp_path / "conf",
            readable=(tmp_path / "in",),
            writable=(tmp_path / "out",),
            module="tests.engine.confined",
        )
    )
    await pool.start()
    yield pool
    await pool.close()


async def attempt(pool: EnginePool, what: str, value: object = "") -> str:
    """`done`, or the name of the error that the attempt ended with."""
    try:
        await pool.run(replace(TRY, recipe={what: str(value)}), affinity="")
    except NotAnImage as refused:
        return str(refused)
    return "done"


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
    assert int(status["CapEff"], 16) & ~(1 << 1) == 0  # CAP_DAC_OVERRIDE at most


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
    assert await attempt(pool, "write", tmp_path / "out" / "new") == "done"
    assert await attempt(pool, "write", tmp_path / "in" / "file") in DENIED
    assert await attempt(pool, "write", tmp_path / "elsewhere" / "new") in DENIED
    assert await attempt(pool, "write", tmp_path / "conf" / "policy.xml") in DENIED
    assert (tmp_path / "in" / "file").read_text() == "words"


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
    assert await attempt(pool, "signal", pid) == "done"
    for other in (os.getpid(), 1, -1):
        assert await attempt(pool, "signal", other) in DENIED
    assert await attempt(pool, "limit of", pid) == "done"
    assert await attempt(pool, "limit of", os.getpid()) in DENIED


async def test_privileges_are_not_regained(pool: EnginePool) -> None:
    assert await attempt(pool, "become", 0 if os.getuid() else 12345) in DENIED
    assert await attempt(pool, "raise limit") in DENIED


async def test_no_detour_around_the_refused_system_calls(pool: EnginePool) -> None:
    io_uring_setup, socket_of_the_x32_abi = 425, 0x40000000 + 41
    for number in (io_uring_setup, socket_of_the_x32_abi):
        assert await attempt(pool, "call", number) in DENIED


async def test_memory_ends_at_its_limit_and_the_process_lives(pool: EnginePool) -> None:
    pids = pool.pids
    assert await attempt(pool, "grow", MEMORY // 2) == "done"
    with pytest.raises(TooLarge):
        await attempt(pool, "grow", 2 * MEMORY)
    assert pool.pids == pids


async def test_files_end_at_their_limits(pool: EnginePool, tmp_path: Path) -> None:
    assert await attempt(pool, "write much", tmp_path / "out" / "large") == "EFBIG"
    assert await attempt(pool, "open many", tmp_path / "in" / "file") == "EMFILE"


async def test_service_environment_stays_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "confidential")
    (tmp_path / "policy.xml").touch()
    settings = EngineSettings(1, MEMORY, 10, 30, 1, tmp_path, (), (), module="tests.engine.faults")
    pool = EnginePool(settings)
    await pool.start()
    try:
        (pid,) = pool.pids
        assert b"confidential" not in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        await pool.close()
