"""Traces: what a collector is sent by a running gateway, what it is never sent, and what a gateway does without one."""

from __future__ import annotations

import hashlib
import itertools
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from gateway.access import sign
from tests import images
from tests.api.raw import answer_head, connection
from tests.collector import Collector, Span, collecting
from tests.gateways import Gateway, free_ports, running_gateway
from tests.observability.test_observing import events, value
from tests.waiting import until

pytestmark = pytest.mark.slow

KEY = "a-key-that-nobody-may-see"
TOKEN = "a-token-that-nobody-may-see"
PASSWORD = "a-password-that-nobody-may-see"
CLIENT = {"Authorization": f"Bearer {TOKEN}"}
STAGES = ["queue", "decode", "transform", "encode", "publish"]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that traces everything, with all kinds of secrets."""
    scopes = ["read", "write", "delete", "url"]
    options = {
        "public": {"access": "signed", "keys": {"first": KEY}},
        "api": {"tokens": [{"name": "us", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "scopes": scopes}]},
        "log": {"format": "json", "slow": "1ms"},
        "tracing": {"endpoint": collector.url, "headers": {"x-password": PASSWORD}, "service_name": "pictures"},
    }
    with running_gateway(tmp_path_factory.mktemp("tracing"), options) as running:
        running.api.headers.update(CLIENT)
        assert running.upload("cat.jpg", images.jpeg(images.photo(640, 480))).status_code == 201
        yield running


def signed(recipe: str) -> str:
    name = f"cat.jpg/@{recipe}"
    return f"/images/{name}?sig=first.{sign(name, KEY)}"


def parent(number: int, flags: str = "01") -> dict[str, str]:
    """What a client sends that has a trace of its own: its id ends with the number."""
    return {"traceparent": f"00-{trace_id(number)}-{number:016x}-{flags}"}


def trace_id(number: int) -> str:
    return f"{number:032x}"


def names(spans: list[Span]) -> list[str]:
    return [span.name for span in spans]


def test_a_miss_through_nginx_is_one_trace_which_goes_on_that_of_the_client(
    gateway: Gateway, collector: Collector
) -> None:
    before = time.time_ns()
    answer = gateway.public.get(signed("w=100.jpg"), headers=parent(0xABC))
    assert answer.status_code == 200
    top = collector.request(answer.headers["X-Request-Id"])
    assert (top.trace, top.parent) == (trace_id(0xABC), f"{0xABC:016x}")
    assert (top.name, top.kind) == ("GET /images/{name}", "SERVER")
    assert top.attributes["http.route"] == "/images/{name}"
    assert top.attributes["http.response.status_code"] == 200
    assert top.attributes["image_gateway.path"] == "/images/cat.jpg/@w=100.jpg"
    assert top.attributes["image_gateway.port"] == "public"
    assert top.attributes["image_gateway.cache"] == "MISS"
    assert top.resource["service.name"] == "pictures"
    assert before < top.start < top.end < time.time_ns()
    below = collector.below(top)
    assert [name for name in names(below) if name in STAGES] == STAGES
    assert {span.trace for span in below} == {top.trace}
    for one, following in itertools.pairwise(below):
        assert top.start <= one.start <= one.end <= following.start + 1_000_000  # ns; clocks are read at both ends
        assert following.end <= top.end


def test_the_calls_to_the_store_are_spans_with_their_stage_below_them(gateway: Gateway, collector: Collector) -> None:
    (gateway.root / "var/store/put.jpg").write_bytes(images.jpeg(images.photo(64, 48)))
    answer = gateway.api.get("/images/put.jpg/@w=32.jpg")
    top = collector.request(answer.headers["X-Request-Id"])
    calls = [span for span in collector.below(top) if span.kind == "CLIENT"]
    assert names(calls)[:1] == ["fetch originals"]
    assert calls[0].attributes == {"image_gateway.store.container": "originals", "image_gateway.store.call": "fetch"}
    assert names(collector.below(calls[0])) == ["fetch"]


def test_a_call_that_finds_nothing_says_so_and_is_no_failure(gateway: Gateway, collector: Collector) -> None:
    answer = gateway.api.get("/images/none.jpg")
    top = collector.request(answer.headers["X-Request-Id"])
    (call,) = collector.below(top)
    assert call.attributes["error.type"] == "NotFound"
    assert top.attributes["http.response.status_code"] == 404
    assert not call.failed
    assert not top.failed


def test_an_upload_is_a_trace_of_its_own(gateway: Gateway, collector: Collector) -> None:
    answer = gateway.upload("dog.jpg", images.jpeg(images.photo(32, 32)))
    top = collector.request(answer.headers["X-Request-Id"])
    assert (top.name, top.parent) == ("POST /images/{name}", "")
    assert re.fullmatch("[0-9a-f]{32}", top.trace)
    assert top.attributes["image_gateway.kind"] == "upload"
    assert {"queue", "decode", "put originals"} <= set(names(collector.below(top)))


def test_what_may_be_about_thousands_of_images_is_one_span(gateway: Gateway, collector: Collector) -> None:
    answer = gateway.api.post("/warm", json={"recipes": ["@w=40.jpg", "@w=41.jpg"]})
    assert answer.status_code == 200
    top = collector.request(answer.headers["X-Request-Id"])
    assert top.attributes["image_gateway.kind"] == "warm"
    assert {span.name for span in collector.spans if span.trace == top.trace} == {"POST /warm"}
    assert gateway.api.get("/images/cat.jpg/@w=40.jpg").headers["X-Cache"].startswith("HIT-")


def test_the_log_names_the_trace_and_the_trace_the_request(gateway: Gateway, collector: Collector) -> None:
    answer = gateway.api.get("/images/cat.jpg/@w=77,blur=2.png")
    request = answer.headers["X-Request-Id"]
    trace = collector.request(request).trace  # it comes later than the log's line about how slow it was
    assert {line["trace"] for line in events(gateway) if line.get("request") == request} == {trace}


def test_neither_a_hit_of_nginx_nor_a_look_at_the_health_is_traced(gateway: Gateway, collector: Collector) -> None:
    gateway.public.get(signed("w=101.jpg"))
    hit = gateway.public.get(signed("w=101.jpg"), headers=parent(1))
    assert hit.headers["X-Cache"] == "HIT-DISK"
    for path in ("/metrics", "/health/live", "/health/ready"):
        gateway.api.get(path, headers=parent(2))
    collector.request(gateway.api.get("/images/cat.jpg").headers["X-Request-Id"])  # all before it would be there now
    assert not {trace_id(1), trace_id(2)} & {span.trace for span in collector.spans}
    assert not [span for span in collector.spans if "counts" in span.name or "health" in span.name]
    assert {span.kind for span in collector.spans if not span.parent} == {"SERVER"}  # nothing but requests begins one


def test_who_asks_not_to_be_traced_is_not(gateway: Gateway, collector: Collector) -> None:
    assert gateway.public.get(signed("w=102.jpg"), headers=parent(3, "00")).status_code == 200
    assert gateway.api.get("/images/cat.jpg", headers=parent(4, "00")).status_code == 200
    collector.request(gateway.api.get("/images/cat.jpg").headers["X-Request-Id"])
    assert not {trace_id(3), trace_id(4)} & {span.trace for span in collector.spans}


def test_no_secret_ever_reaches_the_collector(gateway: Gateway, collector: Collector) -> None:
    name, question = signed("w=103.jpg").split("?")
    secret = question.partition(".")[2]
    sent = [
        gateway.public.get(f"{name}?{question}"),
        gateway.public.get(f"{name}?{question}&exp=1"),
        gateway.public.get(f"{name}{quote('?')}{question}"),
        gateway.api.get(f"{name}{quote('?')}{question}"),
        gateway.public.get("/images/cat.jpg", params={"w": 104, "format": "jpg", "sig": f"first.{secret}"}),
        gateway.api.get(
            f"{name}?{question}", headers={"User-Agent": PASSWORD, "Cookie": PASSWORD, "Referer": PASSWORD}
        ),
        gateway.api.get("/images/cat.jpg", params={"token": TOKEN}, headers={"Authorization": f"Bearer {KEY}"}),
        gateway.api.get("/stats", headers={"Authorization": f"Basic {PASSWORD}"}),
        gateway.api.request(PASSWORD.upper(), "/images/cat.jpg"),
        gateway.api.get(f"/{PASSWORD}"),
        gateway.api.post("/urls", json={"names": [name], "password": PASSWORD}),
    ]
    collector.request(gateway.api.get("/images/cat.jpg").headers["X-Request-Id"])
    reached = [answer for answer in sent if answer.headers.get("X-Request-Id") in collector.requests]
    assert len(reached) >= 7, sent  # nginx alone answers some
    for body in collector.bodies:
        for word in (secret, KEY, TOKEN, PASSWORD):
            assert word.lower().encode() not in body.lower()


def test_the_collector_is_sent_the_configured_headers_which_nobody_else_sees(
    gateway: Gateway, collector: Collector
) -> None:
    collector.request(gateway.api.get("/images/cat.jpg").headers["X-Request-Id"])
    assert {headers["x-password"] for headers in collector.headers} == {PASSWORD}
    assert set(collector.paths) == {"/v1/traces"}
    assert PASSWORD not in gateway.log.replace(f"GET /{PASSWORD},", "")  # a path of above, logged where it was slow
    until(lambda: value(gateway, "image_gateway_spans_total", outcome="sent") >= 1)
    assert value(gateway, "image_gateway_spans_total", outcome="failed") == 0


def test_nobody_beyond_the_api_can_force_a_trace(collector: Collector, tmp_path: Path) -> None:
    options = {"tracing": {"endpoint": f"{collector.url}/own/path", "sample": 0}}
    with running_gateway(tmp_path, options) as gateway:
        gateway.upload("cat.jpg", images.jpeg(images.photo(64, 48)))
        assert gateway.public.get("/images/cat.jpg/@w=20.jpg", headers=parent(5)).status_code == 200
        answer = gateway.api.get("/images/cat.jpg/@w=21.jpg", headers=parent(6))
        top = collector.request(answer.headers["X-Request-Id"])
    assert top.trace == trace_id(6)
    assert set(STAGES) <= set(names(collector.below(top)))
    assert trace_id(5) not in {span.trace for span in collector.spans}
    assert "/own/path" in collector.paths


@pytest.mark.parametrize(
    "head",
    [
        b"Host: x:99999",
        b"Host: [::",
        b"Host: \xff\xfe",
        b"Host: x\r\ntraceparent: \xff\xff",
        b"Host: x\r\ntraceparent: 00-0-0-01\r\ntraceparent: 00-1-1-01",
        b"Host: x\r\ntraceparent: 00-%032x-%016x-01\r\ntracestate: \xff=%s" % (7, 7, b"\xff" * 1000),
    ],
)
def test_strange_headers_are_no_reason_to_fail(gateway: Gateway, head: bytes) -> None:
    with connection(gateway) as opened:
        opened.sendall(b"GET /formats HTTP/1.1\r\nAuthorization: Bearer %s\r\n%s\r\n\r\n" % (TOKEN.encode(), head))
        assert answer_head(opened).startswith("HTTP/1.1 200 ")
    assert "Traceback" not in gateway.log
    assert "w3c" not in gateway.log


def test_a_reload_begins_and_ends_traces_without_a_new_start(collector: Collector, tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway:
        gateway.upload("cat.jpg", images.jpeg(images.photo(64, 48)))
        file = tmp_path / "config.yaml"
        file.write_text(f"{file.read_text()}\ntracing: {{endpoint: '{collector.url}'}}\n")
        gateway.process.send_signal(1)
        until(lambda: "reloaded" in gateway.log)
        answer = gateway.public.get("/images/cat.jpg/@w=8.jpg")
        assert collector.request(answer.headers["X-Request-Id"]).attributes["image_gateway.cache"] == "MISS"


def test_without_an_endpoint_a_running_service_has_loaded_nothing_of_it(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom gateway.config import load\nfrom service import app\n"
        "async def main():\n"
        f"    options = {{'file': 'c', 'base': Path({str(tmp_path)!r}), 'environ': {{}}, 'read_file': None}}\n"
        f"    config = load('api: {{listen: 127.0.0.1:{free_ports(1)[0]}}}\\nengine: {{processes: 1}}', **options)\n"
        "    async with app.running(config):\n"
        "        print(*sys.modules)\n"
        "asyncio.run(main())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = ended.stdout.split()
    assert "service.tracing.setup" in loaded
    assert [name for name in loaded if name.startswith(("opentelemetry", "google.protobuf", "requests"))] == []
