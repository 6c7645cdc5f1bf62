"""What operators see: metrics that include what nginx answers alone, health with reasons, logs that explain."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.observability import logs
from tests import images
from tests.gateways import Gateway, running_gateway
from tests.waiting import PATIENCE, until

HOME = Path(__file__).resolve().parents[2]
MOST_SERIES = 600
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
HIT = "/images/cat.jpg/@w=90.jpg"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {
        "log": {"format": "json", "slow": "1ms"},
        "cache": {"revalidate": "500ms"},
        "events": [{"url": "http://127.0.0.1:9/", "secret": SECRET, "kinds": ["purged"]}],  # which never happens here
    }
    with running_gateway(tmp_path_factory.mktemp("observing"), options) as running:
        assert running.upload("cat.jpg", images.jpeg(images.photo(640, 480))).status_code == 201
        yield running


def metrics(gateway: Gateway) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """By name and labels, what Prometheus would read."""
    answer = gateway.api.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(gateway: Gateway, name: str, **labels: str) -> float:
    """The sum of all series of a name that bear these labels."""
    wanted = set(labels.items())
    return sum(number for (one, has), number in metrics(gateway).items() if one == name and wanted <= has)


def counted(gateway: Gateway, **labels: str) -> float:
    return value(gateway, "image_gateway_requests_total", port="public", kind="derived", **labels)


def test_every_answer_is_counted_once_whoever_gave_it(gateway: Gateway) -> None:
    before = metrics(gateway)
    gateway.public.get(HIT)
    for _ in range(5):
        gateway.public.get(HIT)
    gateway.public.get("/images/cat.jpg?w=90&format=jpg")
    gateway.public.get(HIT, headers={"Range": "bytes=0-9"})
    gateway.public.get("/images/cat.jpg/@w=none.jpg")
    gateway.public.get("/images/missing.jpg/@w=5.jpg")
    gateway.public.get("/elsewhere")
    expected = {("200", "MISS"): 1, ("200", "HIT-DISK"): 6, ("206", "HIT-DISK"): 1, ("400", ""): 1, ("404", ""): 2}
    until(
        lambda: all(
            counted(gateway, status=status, cache=level) - count_in(before, status, level) == count
            for (status, level), count in expected.items()
        )
    )


def count_in(before: dict[tuple[str, frozenset[tuple[str, str]]], float], status: str, level: str) -> float:
    labels = {"port": "public", "kind": "derived", "status": status, "cache": level}
    return before.get(("image_gateway_requests_total", frozenset(labels.items())), 0)


def test_hits_are_counted_although_the_service_is_gone_and_although_nginx_reloads(gateway: Gateway) -> None:
    gateway.public.get(HIT)
    before = counted(gateway, cache="HIT-DISK", status="206")
    gateway.stop_service()
    for _ in range(20):
        assert gateway.public.get(HIT, headers={"Range": "bytes=0-9"}).status_code == 206
    (master,) = gateway.pids("nginx: master")
    os.kill(master, signal.SIGHUP)
    gateway.continue_service()
    until(lambda: counted(gateway, cache="HIT-DISK", status="206") >= before + 20)
    assert counted(gateway, cache="HIT-DISK", status="206") == before + 20


def test_hits_are_counted_once_although_they_are_told_again_to_a_service_that_was_frozen(gateway: Gateway) -> None:
    known = {"If-None-Match": gateway.public.get(HIT).headers["ETag"]}
    gave_up = gateway.log.count("lua tcp socket read timed out")
    gateway.stop_service()
    for _ in range(10):
        assert gateway.public.get(HIT, headers=known).status_code == 304
        assert gateway.public.get("/images/cat.jpg?w=90&format=jpg", headers=known).status_code == 304
    until(lambda: gateway.log.count("lua tcp socket read timed out") > gave_up)
    gateway.continue_service()
    until(lambda: counted(gateway, cache="HIT-DISK", status="304") >= 20)
    assert gateway.public.get(HIT, headers=known).status_code == 304  # told when all that was told before has been read
    until(lambda: counted(gateway, cache="HIT-DISK", status="304") > 20)
    assert counted(gateway, cache="HIT-DISK", status="304") == 21


def test_stages_store_caches_and_engine_are_told(gateway: Gateway) -> None:
    gateway.public.get("/images/cat.jpg/@w=122.webp")
    spent = value(gateway, "image_gateway_engine_cpu_seconds_total")
    gateway.public.get("/images/cat.jpg/@w=123.webp")
    for stage in ("queue", "fetch", "decode", "transform", "encode", "publish"):
        assert value(gateway, "image_gateway_stage_seconds_count", stage=stage) > 0, stage
    assert value(gateway, "image_gateway_store_seconds_count", container="originals", call="fetch") >= 1
    assert value(gateway, "image_gateway_upload_bytes_total") >= (gateway.root / "var/store/cat.jpg").stat().st_size
    assert value(gateway, "image_gateway_engine_processes") == 1
    assert value(gateway, "image_gateway_engine_jobs_total", outcome="done") >= 2
    assert value(gateway, "image_gateway_engine_cpu_seconds_total") >= spent > 0
    assert value(gateway, "image_gateway_cache_limit_bytes", cache="derived") == 10 * 2**30
    until(lambda: value(gateway, "image_gateway_cache_files", cache="derived") >= 2)


def test_a_scrape_picks_series_by_their_names(gateway: Gateway) -> None:
    names = {"image_gateway_engine_running", "image_gateway_requests_total"}
    gateway.api.get("/images/none.jpg")
    text = gateway.api.get("/metrics", params={"name[]": list(names)}).text
    assert {one.name for family in text_string_to_metric_families(text) for one in family.samples} == names
    assert gateway.api.get("/metrics", params={"name[]": "image_gateway_none"}).text == ""


def test_the_state_of_the_caches_tells_refusals_and_times_as_the_metrics_do(gateway: Gateway) -> None:
    gateway.api.get("/images/cat.jpg/@w=77.webp")
    gateway.public.get("/images/none.jpg/@w=77.webp")

    def agree() -> bool:
        told, found = gateway.api.get("/stats").json(), metrics(gateway)
        refused = sum(
            number
            for (name, labels), number in found.items()
            if name == "image_gateway_requests_total" and dict(labels)["status"] >= "400"
        )
        within: Counter[str] = Counter()
        for (name, labels), number in found.items():
            if name == "image_gateway_request_seconds_bucket" and dict(labels)["kind"] == "derived":
                within[dict(labels)["le"]] += int(number)
        return bool(told["refused"] == refused > 0 and told["seconds"] == within)

    until(agree)  # nginx may hand over its counts between the two


def test_no_name_ever_becomes_a_label(gateway: Gateway) -> None:
    for number in range(40):
        gateway.public.get(f"/images/missing-{number}.jpg/@w=5.jpg")
        gateway.api.get(f"/strange-{number}")
        gateway.api.request(f"STRANGE{number}", "/images")
    text = gateway.api.get("/metrics").text
    assert not re.search(r"missing|strange|cat\.jpg", text, re.IGNORECASE)
    assert len(metrics(gateway)) < MOST_SERIES


@pytest.mark.parametrize("document", ["docs/grafana.json", "deploy/prometheus/rules.yaml"])
def test_the_dashboard_and_the_alerts_ask_for_what_there_is(gateway: Gateway, document: str) -> None:
    until(lambda: "image_gateway_comparison_age_seconds" in gateway.api.get("/metrics").text)
    told = set(re.findall(r"^# TYPE (\S+)", gateway.api.get("/metrics").text, re.MULTILINE))
    asked = set(re.findall(r"image_gateway_\w+", (HOME / document).read_text()))
    assert len(asked) >= 8
    assert {
        name for name in asked if name not in told and re.sub("_(bucket|count|sum)$", "", name) not in told
    } == set()


def test_every_alert_is_explained(gateway: Gateway) -> None:
    rules = yaml.safe_load((HOME / "deploy/prometheus/rules.yaml").read_text())
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    explained = re.findall(r"^\| (ImageGateway\w+) \|", (HOME / "docs/operations.md").read_text(), re.MULTILINE)
    assert alerts == explained


def test_only_nginx_hands_over_counts_and_they_must_make_sense(gateway: Gateway) -> None:
    batch = {"id": "1-2.5-3", "counts": {"HIT-DISK 206": 5}}
    assert gateway.api.post("/counts", json=batch).status_code == 404
    assert gateway.public.post("/counts", json=batch).status_code in (404, 405)
    (socket,) = gateway.root.rglob("*.sock")
    before = counted(gateway, cache="HIT-DISK", status="206")
    transport = httpx.HTTPTransport(uds=str(socket))
    with httpx.Client(transport=transport, base_url="http://nginx", timeout=PATIENCE) as nginx:
        for wrong in (5, {}, {**batch, "id": "a b"}, {**batch, "counts": {"HIT-DISK 206": 2, "HIT-DISK 999": 1}}):
            assert nginx.post("/counts", json=wrong).status_code == 400
        assert [nginx.post("/counts", json=batch).status_code for _ in range(3)] == [204] * 3
    assert counted(gateway, cache="HIT-DISK", status="206") == before + 5


def test_an_id_goes_from_nginx_through_the_log_and_back(gateway: Gateway) -> None:
    time.sleep(1.1)  # after so long, what other tests had logged holds nothing back
    answer = gateway.public.get("/images/cat.jpg/@w=321,blur=2.png")
    request = answer.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", request)
    until(lambda: any(line.get("request") == request for line in events(gateway)))
    (told,) = [line for line in events(gateway) if line.get("request") == request]
    assert re.match(r"slow: GET /images/cat\.jpg/@w=321,blur=2\.png, 200 after [0-9.]+ s: ", told["message"])
    assert {"queue", "decode", "transform", "encode", "publish"} <= set(re.findall("[a-z]+", told["message"]))
    assert gateway.public.get("/images/cat.jpg/@w=0.png").headers["X-Request-Id"] != request
    assert gateway.api.get("/images", headers={"X-Request-Id": "mine-1"}).headers["X-Request-Id"] == "mine-1"
    assert gateway.api.get("/images", headers={"X-Request-Id": "not mine"}).headers["X-Request-Id"] != "not mine"


def events(gateway: Gateway) -> list[dict[str, str]]:
    """The lines of the log that the service wrote; each is JSON."""
    return [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{")]


def test_a_flood_of_failures_is_no_flood_of_lines(gateway: Gateway) -> None:
    (store := gateway.root / "var/store/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    before, began = len(gateway.log.splitlines()), time.monotonic()
    for number in range(300):
        gateway.api.get(f"/images/broken.jpg/@w={number + 1}.jpg")
    places = 3  # in the code that write a line about such a request
    assert len(gateway.log.splitlines()) - before < places * logs.MOST * (time.monotonic() - began + 2)
    store.unlink()


def test_health_tells_what_is_wrong_and_the_public_one_stays_well_without_a_store(gateway: Gateway) -> None:
    assert gateway.api.get("/health/ready").json() == {
        "status": "ready",
        "checks": {"engine": "ready", "store": "ready", "disk": "ready", "caches": "ready"},
    }
    store: Path = gateway.root / "var/store"
    shutil.move(store, away := gateway.root / "away")
    try:
        until(lambda: gateway.api.get("/health/ready").status_code == 503)
        checks = gateway.api.get("/health/ready").json()["checks"]
        assert checks["store"] not in ("ready", "") and checks["engine"] == "ready"
        assert gateway.public.get("/health").status_code == 200
        assert gateway.api.get("/health/live").status_code == 200
    finally:
        shutil.move(away, store)
    until(lambda: gateway.api.get("/health/ready").status_code == 200)


def test_health_is_answered_at_once_while_the_engine_is_flooded(gateway: Gateway) -> None:
    with ThreadPoolExecutor(16) as pool:
        flood = [pool.submit(gateway.public.get, f"/images/cat.jpg/@w={200 + n},blur=9.png") for n in range(48)]
        seconds = []
        while not all(one.done() for one in flood):
            seconds.append(gateway.api.get("/health/live").elapsed.total_seconds())
    assert sorted(seconds)[len(seconds) // 2] < 0.25
    assert {one.result().status_code for one in flood} <= {200, 503}
