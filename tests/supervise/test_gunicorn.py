"""The service under Gunicorn: what it serves, how it stops and reloads, and that it stays one process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests import images
from tests.api import raw
from tests.cli.checking import CheckFile
from tests.gateways import Gateway, alive, free_ports, write_config
from tests.gunicorns import APPLICATION, COMMAND, ends, held_up, reload, running_gunicorn, workers, workers_of
from tests.supervise.test_restarting import HIT, Load, change
from tests.supervise.test_supervisor import good
from tests.waiting import PATIENCE, until

ONE = "exactly 1 worker"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gunicorn(tmp_path_factory.mktemp("gunicorn")) as running:
        yield running


def ask(gateway: Gateway, path: str) -> int:
    return httpx.get(f"{gateway.public.base_url}{path}", timeout=60, trust_env=False).status_code


def test_misses_hits_and_uploads_are_answered_as_by_image_gateway_up(gateway: Gateway) -> None:
    assert gateway.upload("dog.jpg", images.jpeg()).status_code == 201
    made = gateway.public.get("/images/dog.jpg/@w=70.webp")
    assert (made.status_code, made.headers["X-Cache"]) == (200, "MISS")
    again = gateway.public.get("/images/dog.jpg/@w=70.webp")
    assert (again.headers["X-Cache"], again.content) == ("HIT-DISK", made.content)
    assert gateway.api.get("/images/dog.jpg/@w=70.webp").content == made.content
    assert gateway.api.get("/health/ready").json()["status"] == "ready"


def test_what_is_no_http_is_answered_with_a_problem(gateway: Gateway) -> None:
    with raw.connection(gateway) as opened:
        opened.sendall(b"what?\r\n\r\n")
        head = raw.answer_head(opened)
    assert " 400 Bad Request\r\n" in head
    assert "application/problem+json" in head


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["-w", "2"], {}),
        (["-w", "0"], {}),
        ([], {"WEB_CONCURRENCY": "2"}),
        ([], {"GUNICORN_CMD_ARGS": "--workers 3"}),
    ],
)
def test_any_number_of_workers_but_one_is_refused_with_the_reason(
    tmp_path: Path, words: list[str], environ: dict[str, str]
) -> None:
    write_config(tmp_path, {}, free_ports(2))
    said = ends(tmp_path, *words, environ=environ)
    assert ONE in said
    assert "single flight and the caches have one owner per node" in said
    assert not (tmp_path / "var/run/service.sock").exists()


def test_ttin_adds_no_worker_and_says_why(gateway: Gateway) -> None:
    before, only = len(gateway.log), workers(gateway)
    os.kill(gateway.process.pid, signal.SIGTTIN)
    until(lambda: ONE in gateway.log[before:])
    assert workers(gateway) == only
    assert "Booting worker" not in gateway.log[before:]
    assert ask(gateway, "/images/cat.jpg/@w=71.jpg") == 200


def test_a_configuration_with_mistakes_is_told_in_a_line_each(tmp_path: Path) -> None:
    write_config(tmp_path, {"presets": {"tiny": "w=none"}}, free_ports(2))
    said = ends(tmp_path)
    assert "presets.tiny" in said
    assert "Traceback" not in said


def test_a_store_that_is_not_configured_ends_gunicorn_with_the_reason(tmp_path: Path) -> None:
    write_config(tmp_path, {"store": {"kind": "swift"}}, free_ports(2))
    said = ends(tmp_path)
    assert "cannot start: Swift cannot be used without store.swift.auth_url" in said
    assert "Traceback" not in said


def test_without_its_configuration_or_with_other_sockets_gunicorn_does_not_start(tmp_path: Path) -> None:
    write_config(tmp_path, {}, free_ports(2))
    assert "leave out --bind" in ends(tmp_path, "--bind", f"127.0.0.1:{free_ports(1)[0]}")
    bare = ["-c", "/dev/null", "--no-control-socket", "-k", "aiohttp.GunicornUVLoopWebWorker"]
    assert "gunicorn.conf.py: it hands over the sockets" in ends(tmp_path, *bare, "-b", f"unix:{tmp_path}/socket")


def test_beside_a_gateway_that_runs_no_second_one_starts(gateway: Gateway) -> None:
    assert "is in use by another gateway" in ends(gateway.root)
    assert ask(gateway, "/images/cat.jpg/@w=72.jpg") == 200


def test_a_check_beside_it_takes_its_ports_for_what_they_are(gateway: Gateway, check_file: CheckFile) -> None:
    _, said, _ = check_file(gateway.root / "config.yaml")
    assert said.count("is held by the gateway that runs here") == 2


def test_no_request_fails_while_workers_follow_one_another(gateway: Gateway) -> None:
    load = Load(gateway)
    with load.running():
        for _ in range(3):
            reload(gateway)
    assert set(load.answers) == {"hit: 200", "miss: 200", "listing: 200"}, load.answers


def test_the_new_worker_waits_for_the_one_that_drains(gateway: Gateway) -> None:
    before, (old,) = len(gateway.log), workers(gateway)
    with held_up(gateway, 73) as answer:
        os.kill(gateway.process.pid, signal.SIGHUP)
        until(lambda: "stopping" in gateway.log[before:])
        assert len(workers(gateway)) == 2
        assert not answer.done()
        assert "ready: the API" not in gateway.log[before:]
    assert answer.result().status_code == 200
    until(lambda: "ready: the API" in gateway.log[before:])
    assert old not in workers(gateway)
    assert ask(gateway, "/images/cat.jpg/@w=74.jpg") == 200


def test_a_reload_puts_a_changed_configuration_in_force(gateway: Gateway) -> None:
    text = (gateway.root / "config.yaml").read_text()
    change(gateway, presets={"tiny": "w=8"})
    reload(gateway)
    assert httpx.get(f"{gateway.api.base_url}/presets", trust_env=False, timeout=PATIENCE).json()["tiny"] == "w=8"
    (gateway.root / "config.yaml").write_text(text)
    reload(gateway)
    assert "tiny" not in httpx.get(f"{gateway.api.base_url}/presets", trust_env=False, timeout=PATIENCE).json()


@pytest.mark.parametrize(
    ("section", "options", "reason"),
    [
        ("presets", {"tiny": "w=none"}, "presets.tiny"),
        ("api", {"listen": "127.0.0.1:1"}, "api.listen: only a new start can change it"),
        ("store", {"directory": {"root": "nowhere/pictures"}}, "store.directory.root"),
    ],
)
def test_a_reload_that_cannot_work_says_why_and_changes_nothing(
    gateway: Gateway, section: str, options: dict[str, object], reason: str
) -> None:
    text = (gateway.root / "config.yaml").read_text()
    change(gateway, **{section: options})
    said = reload(gateway)
    (gateway.root / "config.yaml").write_text(text)
    assert re.search(rf"not reloaded: .*{re.escape(reason)}", said)
    assert ask(gateway, HIT) == 200
    (only,) = workers(gateway)
    os.kill(only, signal.SIGKILL)  # the worker that follows has the configuration in force, too
    until(lambda: workers(gateway) not in ([], [only]))
    until(good(lambda: httpx.get(f"{gateway.api.base_url}/health/ready", trust_env=False, timeout=PATIENCE)))


def test_a_killed_worker_is_followed_by_another_while_hits_go_on(gateway: Gateway) -> None:
    (only,) = workers(gateway)
    os.kill(only, signal.SIGKILL)
    assert ask(gateway, HIT) == 200
    assert ask(gateway, "/images/cat.jpg/@w=75.jpg") == 200  # waits in the socket that the master holds
    assert workers(gateway) != [only]


def begin_upload(gateway: Gateway, data: bytes) -> socket.socket:
    """A connection to the API that has accepted an upload and waits for its body."""
    opened = socket.create_connection((gateway.api.base_url.host, gateway.api.base_url.port or 80), timeout=60)
    opened.sendall(raw.head("PUT", "/images/new.jpg", Content_Length=len(data), Expect="100-continue"))
    assert raw.answer_head(opened) == "HTTP/1.1 100 Continue\r\n\r\n"
    return opened


def test_a_stop_under_load_answers_all_that_was_accepted(tmp_path: Path) -> None:
    picture = images.jpeg()
    with running_gunicorn(tmp_path, {"public": {"max_age": "60s"}}) as gateway:
        load = Load(gateway)
        with begin_upload(gateway, picture) as upload, ExitStack() as stack:
            with held_up(gateway, 76) as miss:
                stack.enter_context(load.running())
                until(lambda: load.answers["hit: 200"] > 0)
                gateway.process.terminate()
                until(lambda: "service.gunicorn: stopping" in gateway.log)
                upload.sendall(picture)
                assert not miss.done()
            assert miss.result().status_code == 200
            assert raw.answer_head(upload).startswith("HTTP/1.1 201 ")
        assert gateway.process.wait(60) == 0
    public = {answer for answer in load.answers if not answer.startswith("listing")}
    assert public <= {"hit: 200", "miss: 200", "miss: 503"}, load.answers  # 503: who came after the stop


def test_a_worker_that_is_stopped_while_it_starts_ends_at_once(tmp_path: Path) -> None:
    write_config(tmp_path, {}, free_ports(2))
    with (tmp_path / "log").open("wb") as log:
        master = subprocess.Popen([*COMMAND, APPLICATION], cwd=tmp_path, stderr=log)
    until(lambda: "Booting worker" in (tmp_path / "log").read_text())
    master.terminate()
    began = time.monotonic()
    assert master.wait(PATIENCE) == 0
    assert time.monotonic() - began < 39  # graceful_timeout is 40
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_new_master_follows_the_old_one_and_no_request_fails(tmp_path: Path) -> None:
    with running_gunicorn(tmp_path, {"public": {"max_age": "60s"}}) as gateway:
        load = Load(gateway)
        with load.running():
            os.kill(gateway.process.pid, signal.SIGUSR2)
            until(lambda: gateway.log.count("Booting worker") == 2)
            (new,) = [pid for pid in workers(gateway) if workers_of(pid)]
            gateway.process.terminate()
            assert gateway.process.wait(60) == 0
            until(lambda: gateway.log.count("ready: the API") == 2)
            before = len(gateway.log)
            os.kill(new, signal.SIGHUP)
            until(lambda: "ready: the API" in gateway.log[before:])
        os.kill(new, signal.SIGTERM)
        until(lambda: not alive(new))
    assert set(load.answers) == {"hit: 200", "miss: 200", "listing: 200"}, load.answers
