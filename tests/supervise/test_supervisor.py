"""`image-gateway up`: what dies comes back, a stop leaves nothing, a start that cannot work says why."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests import images
from tests.gateways import Gateway, alive, descendants, free_ports, write_config
from tests.waiting import until


def good(get: Callable[[], httpx.Response]) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return get().status_code == 200
        except httpx.TransportError:
            return False

    return ask


@pytest.fixture(scope="module", autouse=True)
def cat(gateway: Gateway) -> None:
    assert gateway.upload("cat.jpg", images.jpeg()).status_code == 201


@pytest.mark.parametrize("words", ["service serve", "nginx: master", "service.engine.pool.worker"])
def test_a_killed_program_comes_back(gateway: Gateway, words: str) -> None:
    assert gateway.public.get(f"/images/cat.jpg/@w={len(words)}.png").status_code == 200  # an engine process made it
    killed = gateway.pids(words)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: bool(gateway.pids(words)) and not set(killed) & set(gateway.pids(words)))
    width = 100 + len(words)
    until(good(lambda: gateway.public.get(f"/images/cat.jpg/@w={width}.jpg")))


def test_while_the_service_is_gone_hits_go_on_and_misses_wait_for_the_next_one(gateway: Gateway) -> None:
    hit = "/images/cat.jpg/@w=90.jpg"
    until(good(lambda: gateway.public.get(hit)))
    os.kill(gateway.process.pid, signal.SIGSTOP)  # so that nobody starts it again
    with ThreadPoolExecutor() as pool:
        try:
            for pid in gateway.pids("service serve"):
                os.kill(pid, signal.SIGKILL)
            waiting = pool.submit(gateway.api.get, f"{gateway.public.base_url}/images/cat.jpg/@w=91.jpg")
            assert gateway.public.get(hit).headers["X-Cache"] == "HIT-DISK"
            assert not waiting.done()
        finally:
            os.kill(gateway.process.pid, signal.SIGCONT)
        assert waiting.result().status_code == 200


def test_a_taken_port_stops_the_start_with_a_word_about_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for ports in ([taken.getsockname()[1], *free_ports(1)], [*free_ports(1), taken.getsockname()[1]]):
            file = write_config(tmp_path, {}, ports)
            ended = subprocess.run(
                [sys.executable, "-m", "service", "up", "-c", file],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert ended.returncode == 1
            assert "in use" in ended.stderr


def test_a_second_gateway_in_the_same_folder_does_not_start(gateway: Gateway) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "service", "up", "-c", gateway.root / "config.yaml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, "in use by another gateway" in ended.stderr) == (1, True)


def test_mistakes_in_the_configuration_stop_the_start_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("public:\n  acces: open\nlimits: {time: soon}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "service", "up", "-c", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"{file}:2: public.acces: unknown key; did you mean access?",
        f"{file}:3: limits.time: must be a time such as 500ms, 30s or 1h",
    ]


def test_a_killed_supervisor_leaves_nothing_running(tmp_path: Path) -> None:
    file = write_config(tmp_path, {}, free_ports(2))
    process = subprocess.Popen([sys.executable, "-m", "service", "up", "-c", file], stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.readline()
    assert b"gateway is up" in said
    assert b", workbench http://127.0.0.1:" in said
    children = descendants(process.pid)
    assert len(children) >= 4
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not any(alive(pid) for pid in children))
