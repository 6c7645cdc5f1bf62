"""Traces on their way: a collector that is away, slow or astray costs spans, nothing else. What may be configured."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from gateway.config import ConfigError, load
from gateway.config_text import print_config
from gateway.tracing_settings import Tracing
from service.metrics import SPANS
from service.tracing import exporter, setup
from tests import images
from tests.cli.checking import CheckFile
from tests.collector import Collector, collecting
from tests.gateways import Gateway, free_ports, running_gateway, write_config
from tests.observability.test_observing import events, value
from tests.waiting import until

pytestmark = pytest.mark.slow

PASSWORD = "a-password-that-nobody-may-see"


def has_more_failed(gateway: Gateway, before: float) -> bool:
    return value(gateway, "image_gateway_spans_total", outcome="failed") > before


def test_a_collector_that_is_not_there_disturbs_nobody_and_is_told_of_once(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    options = {"tracing": {"endpoint": f"http://127.0.0.1:{port}", "timeout": "500ms"}, "log": {"format": "json"}}
    with running_gateway(tmp_path, options) as gateway:
        gateway.upload("cat.jpg", images.jpeg(images.photo(64, 48)))
        for width in (10, 11, 12):
            failed = value(gateway, "image_gateway_spans_total", outcome="failed")
            assert gateway.public.get(f"/images/cat.jpg/@w={width}.jpg").status_code == 200
            until(functools.partial(has_more_failed, gateway, failed))
        (told,) = [line for line in events(gateway) if "traces" in line["message"]]
        assert told["message"].startswith(f"traces do not reach http://127.0.0.1:{port}/v1/traces: ConnectionError; ")
        assert told["level"] == "error"
        assert "Traceback" not in gateway.log
        with collecting(port) as collector:
            answer = gateway.public.get("/images/cat.jpg/@w=13.jpg")
            collector.request(answer.headers["X-Request-Id"])
            until(lambda: "traces reach http://" in gateway.log)


def test_what_was_traced_last_is_delivered_before_the_end(tmp_path: Path) -> None:
    with collecting() as collector:
        with running_gateway(tmp_path, {"tracing": {"endpoint": collector.url}}) as gateway:
            gateway.upload("cat.jpg", images.jpeg(images.photo(64, 48)))
            request = gateway.public.get("/images/cat.jpg/@w=9.jpg").headers["X-Request-Id"]
        assert request in collector.requests


def test_a_collector_that_never_answers_keeps_no_gateway_from_ending(tmp_path: Path) -> None:
    with collecting(stuck=True) as collector:
        with running_gateway(tmp_path, {"tracing": {"endpoint": collector.url}}) as gateway:
            assert gateway.upload("cat.jpg", images.jpeg(images.photo(64, 48))).status_code == 201
            time.sleep(1.2)  # the first delivery is under way, and the next will have to wait for it
            assert gateway.public.get("/images/cat.jpg/@w=9.jpg").status_code == 200
            began = time.monotonic()
        assert time.monotonic() - began < 50
        assert "spans could not be delivered before the end" in gateway.log


def test_a_redirect_takes_neither_spans_nor_headers_elsewhere() -> None:
    with collecting() as stranger, collecting(elsewhere=stranger.url) as collector:
        with delivering(collector, headers={"x-password": SecretStr(PASSWORD)}) as tracer:
            tracer.start_span("one").end()
        assert counted("failed") == 1
        assert stranger.headers == []


def test_what_a_slow_collector_does_not_take_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "MOST_WAITING", 10)
    monkeypatch.setattr(exporter, "LAST", 0.1)
    with collecting(stuck=True) as collector, delivering(collector) as tracer:
        began = time.monotonic()
        for _ in range(1000):
            tracer.start_span("one").end()
        assert time.monotonic() - began < 50  # a hundred, if each of them waited
        assert counted("dropped") >= 900


@contextlib.contextmanager
def delivering(collector: Collector, **options: Any) -> Iterator[Tracer]:
    """Makes spans that are delivered to the collector; the counters are at 0."""
    SPANS.clear()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(exporter.Delivery(Tracing(endpoint=collector.url, **options)))
    yield provider.get_tracer("test")
    provider.shutdown()


def counted(outcome: str) -> float:
    (family,) = SPANS.collect()
    return sum(one.value for one in family.samples if one.labels == {"outcome": outcome} and "total" in one.name)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("{endpoint: collector}", "tracing.endpoint: must be http://HOST:PORT or an https URL, without user or query"),
        ("{endpoint: 'http://me:hunter2@host:4318'}", "tracing.endpoint: must be http://HOST:PORT"),
        ("{endpoint: 'http://host/?key=hunter2'}", "tracing.endpoint: must be http://HOST:PORT"),
        ("{endpoint: 'http://host:65536'}", "tracing.endpoint: port out of range"),
        ("{endpoint: 'http://[::1'}", "tracing.endpoint: must be http://HOST:PORT"),
        ("{endpoint: 'http://a..b'}", "tracing.endpoint: must be http://HOST:PORT"),
        ("{headers: {'a b': hunter2}}", "tracing.headers: 'a b' is no name of a header"),
        ('{headers: {a: "hunter2\\r\\nb: c"}}', "tracing.headers: the value of a must be printable ASCII"),
        ("{sample: 1.5}", "tracing.sample: must be at most 1"),
        ("{service_name: ''}", "tracing.service_name: "),
    ],
)
def test_a_mistake_is_told_without_the_secret_in_it(options: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"tracing: {options}", file="config.yaml", base=Path(), environ={}, read_file=Path.read_text)
    assert f"config.yaml:1: {wanted}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_header_comes_from_the_environment_and_is_never_printed() -> None:
    text = "tracing: {endpoint: 'https://[::1]:4318/x', headers: {authorization: {env: OTLP}}, sample: 0.25}"
    config = load(text, file="config.yaml", base=Path(), environ={"OTLP": PASSWORD}, read_file=Path.read_text)
    assert config.tracing.headers["authorization"].get_secret_value() == PASSWORD
    assert PASSWORD not in print_config(config) + repr(config) + json.dumps(config.model_dump(mode="json"))
    assert "authorization" in print_config(config)


def test_traces_without_their_packages_are_refused_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "tracing: {endpoint: 'http://127.0.0.1:4318'}"
    config = load(text, file="config.yaml", base=Path(), environ={}, read_file=Path.read_text)
    assert setup.installed()
    monkeypatch.setattr(setup, "NEEDED", ("no_such_package.trace",))
    assert not setup.installed()

    async def start() -> None:
        async with setup.traced(config, remote_store=False):
            pass

    with pytest.raises(ConfigError, match=r"tracing\.endpoint: .*pip install 'image-gateway\[tracing\]'"):
        asyncio.run(start())


def test_the_check_tells_of_missing_packages_and_of_a_collector_that_is_not_there(
    tmp_path: Path, check_file: CheckFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    *ports, port = free_ports(3)
    file = write_config(tmp_path, {"tracing": {"endpoint": f"http://127.0.0.1:{port}"}}, ports)
    monkeypatch.setattr(setup, "NEEDED", ("none",))
    status, said, _ = check_file(file)
    told = [line for line in said.splitlines() if "tracing" in line]
    assert status == 1
    refused = f"127.0.0.1:{port}: Connection refused; until a collector listens there, traces are lost"
    assert told == [f"wrong tracing.endpoint: {setup.NOT_INSTALLED}", f"note  tracing.endpoint: {refused}"]
