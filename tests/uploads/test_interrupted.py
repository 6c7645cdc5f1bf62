"""An engine process that others end while it checks an upload: the image is not blamed for it."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests import images
from tests.gateways import Gateway, running_gateway

TRIES = 50  # uploads; on a busy machine one may be checked before its process is seen
WITHIN = 60.0  # seconds, on a machine that is busy


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("interrupted"), {"engine": {"processes": 1}}) as running:
        yield running


@pytest.fixture
def client() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@functools.cache
def large() -> bytes:
    """A picture whose check takes many times as long as a look for the process that does it."""
    return images.png(images.flat(6000, 4000))


def upload(gateway: Gateway, client: ThreadPoolExecutor, name: str) -> Future[httpx.Response]:
    address, data = f"{gateway.api.base_url}/images/{name}", large()
    return client.submit(lambda: httpx.put(address, content=data, timeout=2 * WITHIN, trust_env=False))


def engines(gateway: Gateway) -> list[int]:
    """The engine processes that are ready for jobs, or almost: their sandbox is closed."""
    return [pid for pid in gateway.pids("service.engine.pool.worker") if "Seccomp:\t2" in status(pid)]


def status(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/status").read_text()
    return ""


def until(met: Callable[[], object]) -> None:
    end = time.monotonic() + WITHIN
    while not met():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_it_is_checked_again_by_another(gateway: Gateway, client: ThreadPoolExecutor) -> None:
    assert upload(gateway, client, "first.png").result(2 * WITHIN).status_code == 201
    until(lambda: engines(gateway))
    (pid,) = engines(gateway)
    os.kill(pid, signal.SIGSTOP)
    answer = upload(gateway, client, "again.png")
    until(lambda: list(gateway.root.glob("var/cache/engine/*/out/*")))  # the job is handed over
    os.kill(pid, signal.SIGKILL)
    assert answer.result(2 * WITHIN).status_code == 201


def test_where_it_happens_again_and_again_the_answer_is_that_it_may_be_sent_once_more(
    gateway: Gateway, client: ThreadPoolExecutor
) -> None:
    for number in range(TRIES):
        name = f"never{number}.png"
        refused = upload_while_killing(gateway, client, name)
        if refused.status_code != 201:
            break
    assert refused.status_code == 503
    assert refused.json()["type"] in {f"urn:image-gateway:problem:{kind}" for kind in ("interrupted", "saturated")}
    assert int(refused.headers["Retry-After"]) >= 1
    assert gateway.api.get(f"/images/{name}").status_code == 404
    until(lambda: engines(gateway))
    assert upload(gateway, client, name).result(2 * WITHIN).status_code == 201


def upload_while_killing(gateway: Gateway, client: ThreadPoolExecutor, name: str) -> httpx.Response:
    answer = upload(gateway, client, name)
    while not answer.done():
        for pid in engines(gateway):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    return answer.result()
