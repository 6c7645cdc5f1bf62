"""The dashboard shows what /stats and /metrics say, at the next look, and asks for little."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.gateways import Gateway
from tests.page.conftest import Sheet, fixed, looking, photo

LOOKS = 6
COUNTED = """async () => {
  const { again, EVERY } = await import("/page/polling.js");
  window.looks = 0;
  window.end = again(async () => { window.looks += 1; }, () => {});
  return EVERY;
}"""
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def turned(browser: Browser, bench: Gateway) -> Iterator[Sheet]:
    """A page whose clock stands still until a test turns it."""
    with looking(browser, str(bench.api.base_url)) as opened:
        opened.page.clock.install()
        opened.forget()
        opened.page.clock.pause_at(opened.page.evaluate("Date.now()") / 1000 + 3600)
        yield opened


def test_the_numbers_are_those_of_the_next_look(sheet: Sheet, bench: Gateway) -> None:
    assert bench.upload("watched/one.jpg", photo(64, 48)).status_code == 201
    page = sheet.open("#/watch")
    expect(page.locator("[data-of=answered]")).to_contain_text("MISS")
    before = bench.api.get("/stats").json()["answered"]["MISS"]
    assert bench.api.get("/images/watched/one.jpg/@w=31.webp").headers["X-Cache"] == "MISS"
    page.evaluate("0")  # so that every request before this has been heard of
    with page.expect_request("**/stats") as next_look:
        pass
    answered: Response | None = next_look.value.response()
    assert answered
    made = answered.json()
    assert made["answered"]["MISS"] > before
    expect(page.locator("[data-of=answered]")).to_contain_text(f"{made['answered']['MISS']} MISS")
    expect(page.locator("[data-number=ratio]")).to_have_text(f"{fixed(made['hit_ratio'] * 100)} %")
    held = page.locator(".meter", has_text="derived images, files").locator("meter")
    expect(held).to_have_attribute("value", str(bench.api.get("/stats").json()["derived"]["files"]))


def test_a_look_every_second_and_none_while_the_page_is_hidden(turned: Sheet) -> None:
    """nginx hands over its counts every second: what it answers is seen after two."""
    page = turned.open("#/browse/empty/")
    expect(page.get_by_text("No pictures here yet")).to_be_visible()
    assert page.evaluate(COUNTED) == 1000  # milliseconds
    for second in range(1, 11):
        assert page.evaluate("window.looks") == second
        page.clock.run_for(1000)
    page.evaluate(HIDE, True)
    page.clock.run_for(60_000)
    assert page.evaluate("window.looks") == 11
    page.evaluate(HIDE, False)
    assert page.evaluate("window.looks") == 12
    page.evaluate("window.end()")
    page.clock.run_for(60_000)
    assert page.evaluate("window.looks") == 12


def test_a_look_asks_for_nothing_that_is_not_shown(turned: Sheet, bench: Gateway) -> None:
    turned.forget()
    page = turned.open("#/watch")
    expect(page.locator("[data-number=processes]")).to_have_text("1")
    while len(asked(turned, "/stats")) < LOOKS:
        page.clock.run_for(1000)
    metrics, problems = asked(turned, "/metrics"), asked(turned, "/problems")
    looks = len(asked(turned, "/stats"))
    assert math.floor(looks / 2) <= len(metrics) <= math.ceil(looks / 2)
    assert len(problems) == 1  # there was no refusal meanwhile
    every = bench.api.get("/metrics").text
    known = set(re.findall(r"^# TYPE (\S+)", every, re.MULTILINE))
    assert not urlsplit(metrics[0]).query  # to learn which ages there are
    assert "image_gateway_comparison_age_seconds" in parse_qs(urlsplit(metrics[1]).query)["name[]"]
    for url in metrics[1:]:
        names = set(parse_qs(urlsplit(url).query)["name[]"])
        assert {re.sub("_(bucket|count|sum)$", "", name) for name in names} <= known
        text = bench.api.get("/metrics", params={"name[]": list(names)}).text
        assert set(re.findall(r"^\w+", text, re.MULTILINE)) <= names
        assert len(text) < len(every) / 3
    for number in ("hits", "misses", "refused", "busy", "running", "waiting", "cpu", "memory", "files", "up"):
        expect(page.locator(f"[data-number={number}]")).not_to_have_text("–")


def asked(sheet: Sheet, path: str) -> list[str]:
    return [url for url in sheet.asked if urlsplit(url).path == path]


def test_a_refusal_is_listed_with_its_reason(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open("#/watch")
    expect(page.locator("[data-number=processes]")).to_have_text("1")
    refused = bench.api.get("/images/watched/none.jpg/@w=7.webp")
    row = page.get_by_role("row").filter(has_text="watched/none.jpg/@w=7.webp")
    expect(row).to_contain_text("404 no-such-image")
    expect(row).to_contain_text(refused.json()["detail"])
