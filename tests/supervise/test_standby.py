"""While the service cannot be started, requests do not wait for it, hits are served, and it recovers by itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from gateway.error_page import POLICY
from tests import images
from tests.gateways import Gateway, running_gateway
from tests.waiting import until

pytestmark = pytest.mark.slow

HIT = "/images/cat.jpg/@w=90.jpg"
AT_ONCE = 20.0  # seconds, on a machine that is very busy; who waits for the service does so for forty


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("absence")) as running:
        assert running.upload("cat.jpg", images.jpeg()).status_code == 201
        assert running.public.get(HIT).status_code == 200
        yield running


@contextmanager
def absent(gateway: Gateway) -> Iterator[None]:
    """The service ends whenever it is started, since the configuration in force is broken."""
    accepted = gateway.root / "var/run/accepted.yaml"
    good, before = accepted.read_text(), len(gateway.log)
    accepted.write_text("[")
    try:
        for pid in gateway.pids("service serve"):
            os.kill(pid, signal.SIGKILL)
        until(lambda: "are answered 503 until it is ready" in gateway.log[before:])
        yield
    finally:
        accepted.write_text(good)


def back(gateway: Gateway, path: str) -> bool:
    return httpx.get(f"{gateway.public.base_url}{path}", timeout=60, trust_env=False).status_code == 200


def check_problem(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.request.method != "HEAD":
        told = answer.json()
        assert (told["status"], told["type"]) == (503, "urn:image-gateway:problem:service-unavailable")


def test_misses_are_refused_at_once_and_hits_go_on(gateway: Gateway) -> None:
    with absent(gateway):
        said = len(gateway.log)
        for width in range(100, 150):
            began = time.monotonic()
            answer = gateway.public.get(f"/images/cat.jpg/@w={width}.jpg")
            assert time.monotonic() - began < AT_ONCE
            check_problem(answer)
            assert "X-Relief" not in answer.headers
            assert len(answer.headers["X-Request-Id"]) == 32
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert gateway.public.get(HIT).headers["X-Cache"] == "HIT-DISK"
        assert gateway.public.get("/health").status_code == 503
        assert len(gateway.log) - said < 5000  # of the starts; the requests leave no lines
    until(lambda: back(gateway, "/images/cat.jpg/@w=100.jpg"))


def test_a_browser_that_navigates_gets_a_page_on_both_ports(gateway: Gateway) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Dest": "document"}
    with absent(gateway):
        for client, path in ((gateway.api, "/"), (gateway.public, "/images/cat.jpg/@w=80.jpg")):
            page = client.get(path, headers=browser)
            assert (page.status_code, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
            assert page.headers["Content-Security-Policy"].startswith(POLICY)
            assert "<h1><span>503</span>Service Unavailable</h1>" in page.text
            check_problem(client.get(path, headers=browser | {"Sec-Fetch-Dest": "image"}))
    until(lambda: back(gateway, "/images/cat.jpg/@w=80.jpg"))


def test_the_api_says_so_too_also_to_who_sends_much(gateway: Gateway) -> None:
    with absent(gateway):
        began = time.monotonic()
        check_problem(gateway.api.get("/health/live"))
        assert gateway.api.get("/presets", headers={"X-Request-Id": "the-id"}).headers["X-Request-Id"] == "the-id"
        check_problem(gateway.api.head("/images/cat.jpg"))
        check_problem(gateway.api.put("/images/new.png", content=os.urandom(2**20)))
        assert time.monotonic() - began < 3 * AT_ONCE  # four requests
    until(lambda: back(gateway, "/images/cat.jpg/@w=101.jpg"))
    assert gateway.api.get("/images/new.png").status_code == 404


def test_who_asked_before_and_waits_is_answered(gateway: Gateway) -> None:
    accepted = gateway.root / "var/run/accepted.yaml"
    good = accepted.read_text()
    accepted.write_text("[")
    try:
        for pid in gateway.pids("service serve"):
            os.kill(pid, signal.SIGKILL)
        assert gateway.public.get("/images/cat.jpg/@w=160.jpg").status_code == 503
    finally:
        accepted.write_text(good)
    until(lambda: back(gateway, "/images/cat.jpg/@w=160.jpg"))


def test_a_reload_with_a_mended_configuration_does_not_wait_for_the_next_start(gateway: Gateway) -> None:
    with absent(gateway):
        before = len(gateway.log)
        os.kill(gateway.process.pid, signal.SIGHUP)
        until(lambda: "reloaded" in gateway.log[before:])
        assert back(gateway, "/images/cat.jpg/@w=170.jpg")
        assert gateway.api.get("/health/ready").status_code == 200
