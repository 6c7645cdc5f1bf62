"""The dashboard shows what /stats and /metrics say, soon, and costs the service little."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.gateways import Gateway
from tests.page.conftest import Sheet, photo

WATCHED = 6  # seconds
MOST = 0.005  # of a core that an open page may cost the service


def test_the_numbers_are_those_of_stats_within_two_seconds(sheet: Sheet, bench: Gateway) -> None:
    assert bench.upload("watched/one.jpg", photo(64, 48)).status_code == 201
    page = sheet.open("#/watch")
    expect(page.locator("[data-of=answered]")).to_contain_text("MISS")
    before = bench.api.get("/stats").json()["answered"]["MISS"]
    assert bench.api.get("/images/watched/one.jpg/@w=31.webp").headers["X-Cache"] == "MISS"
    made = bench.api.get("/stats").json()
    assert made["answered"]["MISS"] > before
    began = time.monotonic()
    expect(page.locator("[data-of=answered]")).to_contain_text(f"{made['answered']['MISS']} MISS")
    assert time.monotonic() - began < 10  # two seconds, on a machine that has nothing else to do
    expect(page.locator("[data-number=ratio]")).to_have_text(f"{made['hit_ratio'] * 100:.1f} %")
    held = page.locator(".meter", has_text="derived images, files").locator("meter")
    expect(held).to_have_attribute("value", str(bench.api.get("/stats").json()["derived"]["files"]))


def test_a_refusal_is_listed_with_its_reason(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open("#/watch")
    expect(page.locator("[data-number=processes]")).to_have_text("1")
    refused = bench.api.get("/images/watched/none.jpg/@w=7.webp")
    row = page.get_by_role("row").filter(has_text="watched/none.jpg/@w=7.webp")
    expect(row).to_contain_text("404 no-such-image")
    expect(row).to_contain_text(refused.json()["detail"])


@pytest.mark.slow
def test_an_open_page_costs_the_service_next_to_nothing(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open("#/browse/empty/")
    page.wait_for_timeout(1500)
    idle = cpu_of(bench, page)
    page.goto(f"{sheet.origin}/#/watch")
    expect(page.locator("[data-number=processes]")).to_have_text("1")
    page.wait_for_timeout(1000)
    assert cpu_of(bench, page) - idle < MOST


def cpu_of(bench: Gateway, page: Page) -> float:
    """What the service takes of a core, over some seconds: CPU time, which a busy machine does not stretch."""
    (pid,) = bench.pids("service serve")[:1]
    before, began = cpu_time(pid), time.monotonic()
    page.wait_for_timeout(WATCHED * 1000)
    return (cpu_time(pid) - before) / (time.monotonic() - began)


def cpu_time(pid: int) -> float:
    """Seconds of CPU of all threads, to the nanosecond: /proc/PID/stat counts in hundredths."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
