"""The page at /docs: every operation once, grouped, with code as code, and a form that sends it."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.gateways import Gateway
from tests.page.conftest import Sheet, photo


def test_operations_that_say_the_same_are_told_once(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open("docs")
    title = page.get_by_role("heading", name="POST PUT /images/{name}").or_(
        page.get_by_role("heading", name="PUT POST /images/{name}")
    )
    expect(title).to_have_count(1)
    paths = bench.api.get("/openapi.json").json()["paths"]
    count = sum(len(operations) for operations in paths.values())
    expect(page.locator("main section .try")).to_have_count(count - 1)
    assert page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id).sort()") == page.evaluate(
        "[...new Set([...document.querySelectorAll('[id]')].map(({ id }) => id))].sort()"
    )


def test_the_document_is_shown_without_a_backtick_and_with_parameters_in_groups(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open("docs")
    expect(page.locator("#listImages")).to_be_visible()
    text = str(page.locator("main").text_content())
    assert "`" not in text
    paths = bench.api.get("/openapi.json").json()["paths"]
    assert len(paths) >= 8
    for path, operations in paths.items():
        assert path in text, path
        for operation in operations.values():
            assert operation["summary"].replace("`", "").partition(".")[0][:40] in text, operation["summary"]
    groups = page.locator("#getImage > details > summary").all_text_contents()
    names = [group.partition(" (")[0] for group in groups]
    assert names == ["Name", "Parameters", "Operations on the picture", "Answers", "Try it"]


def test_the_colours_that_one_chooses_are_those_of_both_pages(sheet: Sheet) -> None:
    page = sheet.open("docs")
    page.get_by_role("button", name="Colours: auto").click()
    page.get_by_role("button", name="Colours: light").click()
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    page.get_by_role("link", name="Watch").click()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    assert page.evaluate(colour) == dark
    assert sum(map(int, re.findall(r"\d+", dark))) < 3 * 64


def test_every_operation_can_be_tried_and_shows_its_command(sheet: Sheet) -> None:
    page = sheet.open("docs")
    expect(page.locator("#listImages")).to_be_visible()
    summaries = page.locator("main section .try > summary")
    summaries.evaluate_all("(all) => all.forEach((summary) => summary.click())")
    commands = page.locator("main section .try").get_by_role("region", name="As a command")
    expect(commands).to_have_text([re.compile(re.escape(f"{sheet.origin}/"))] * summaries.count())


def test_an_example_runs_as_it_stands(sheet: Sheet, bench: Gateway) -> None:
    bench.upload("photos/cat.jpg", photo(320, 240), replace="true")
    page = sheet.open("docs")
    for operation in ("readNames", "getImage", "listImages", "getStats", "archiveChosen", "makeUrls", "warm"):
        section = page.locator(f"#{operation}")
        section.locator("summary", has_text="Try it").click()
        section.get_by_role("button", name="Send").click()
        expect(section.locator(".answer > p").first).to_contain_text("200 OK")
    section = page.locator("#readNames")
    shown = json.loads(str(section.locator(".answer > pre").text_content()))
    assert shown[0]["canonical"] == "photos/cat.jpg/@w=160,h=90.webp"
