"""Browse: a hundred thousand names, search, and what can be done with chosen pictures."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.gateways import Gateway
from tests.page.conftest import Sheet, photo

MANY = 100_000
MOST_LINKS = 50_000  # of one file; ext4 allows 65000
MOST_ELEMENTS = 1500  # of the document, however many names there are


@pytest.fixture(scope="session")
def many(bench: Gateway) -> str:
    """A folder of so many names, all of one picture."""
    folder, data = bench.root / "var/store/many", photo(64, 48)
    folder.mkdir()
    for number in range(MANY):
        path = folder / f"{number:06}.jpg"
        if number % MOST_LINKS == 0:
            source = path
            source.write_bytes(data)
        else:
            os.link(source, path)
    return "many/"


@pytest.mark.slow
def test_a_hundred_thousand_names_are_scrolled_and_the_document_stays_small(sheet: Sheet, many: str) -> None:
    page = sheet.open(f"#/browse/{many}")
    first = page.get_by_role("gridcell", name="000000.jpg")
    expect(first).to_be_visible()
    expect(page.locator(".count")).to_contain_text("so far")
    first.focus()
    while "so far" in str(page.locator(".count").text_content()):
        page.keyboard.press("End")
        page.wait_for_timeout(100)
    page.keyboard.press("End")
    expect(page.get_by_role("gridcell", name=f"{MANY - 1:06}.jpg")).to_be_focused()
    expect(page.locator(".count")).to_have_text("100,000 pictures")
    assert page.evaluate("document.querySelectorAll('*').length") < MOST_ELEMENTS
    drawing = """() => {
      const scroller = document.querySelector(".scroller");
      const began = performance.now();
      for (let part = 0; part < 100; part += 1) {
        scroller.scrollTop = (scroller.scrollHeight * part) / 100;
        scroller.dispatchEvent(new Event("scroll"));
      }
      return new Promise((done) => requestAnimationFrame(() => done(performance.now() - began)));
    }"""
    assert page.evaluate(drawing) < 5000  # milliseconds for all hundred; one costs the same with a hundred names
    page.keyboard.press("Home")
    expect(page.get_by_role("gridcell", name="000000.jpg")).to_be_focused()


def test_names_are_found_by_how_they_begin(sheet: Sheet, many: str) -> None:
    page = sheet.open(f"#/browse/{many}")
    page.get_by_role("searchbox").fill("09999")
    expect(page.locator(".count")).to_have_text("10 pictures")
    expect(page.get_by_role("gridcell").first).to_have_attribute("title", "many/099990.jpg")
    page.get_by_role("searchbox").fill("nothing")
    expect(page.get_by_text("No name begins like this")).to_be_visible()


def test_folders_lead_in_and_out(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open()
    page.get_by_role("gridcell", name="shown").click()
    expect(page.get_by_role("gridcell")).to_have_count(2)
    page.get_by_role("gridcell", name="flat.png").click()
    expect(page.get_by_role("heading", name="flat.png")).to_be_visible()
    page.get_by_role("link", name="shown/").click()
    page.get_by_role("link", name="All pictures").click()
    expect(page.get_by_role("gridcell", name="shown")).to_be_visible()


def test_chosen_pictures_are_downloaded_as_a_zip(sheet: Sheet, bench: Gateway, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        assert bench.upload(f"zipped/{number}.jpg", photo(40, 30, number)).status_code == 201
    page = sheet.open("#/browse/zipped/")
    page.get_by_role("gridcell", name="1.jpg").press("Space")
    page.get_by_role("gridcell", name="3.jpg").press("Space")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "got.zip")
    with zipfile.ZipFile(tmp_path / "got.zip") as archive:
        assert sorted(archive.namelist()) == ["1.jpg", "3.jpg", "manifest.json"]
        assert archive.read("3.jpg") == photo(40, 30, 3)


def test_pictures_are_deleted_after_two_questions_that_name_them(sheet: Sheet, bench: Gateway) -> None:
    for name in ("keep", "going", "gone"):
        assert bench.upload(f"deleting/{name}.jpg", photo(40, 30)).status_code == 201
    page = sheet.open("#/browse/deleting/")
    page.get_by_role("gridcell", name="going.jpg").press("Space")
    page.get_by_role("gridcell", name="gone.jpg").press("Space")
    page.get_by_role("button", name="Delete").click()
    first = page.get_by_role("dialog", name="Delete 2 pictures?")
    expect(first.get_by_role("listitem")).to_have_text(["deleting/going.jpg", "deleting/gone.jpg"])
    first.get_by_role("button", name="Delete…").click()
    second = page.get_by_role("dialog", name="Really delete 2 pictures?")
    second.get_by_role("button", name="Cancel").click()
    assert len(bench.api.get("/images?prefix=deleting/").json()["images"]) == 3
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete 2 pictures for ever").click()
    expect(page.get_by_role("gridcell")).to_have_count(1)
    assert [one["name"] for one in bench.api.get("/images?prefix=deleting/").json()["images"]] == ["deleting/keep.jpg"]


def test_derived_images_of_chosen_pictures_are_purged(sheet: Sheet, bench: Gateway) -> None:
    assert bench.upload("purging/one.jpg", photo(40, 30)).status_code == 201
    assert bench.public.get("/images/purging/one.jpg/@w=20.webp").headers["X-Cache"] == "MISS"
    page = sheet.open("#/browse/purging/")
    page.get_by_role("gridcell", name="one.jpg").press("Space")
    page.get_by_role("button", name="Purge").click()
    expect(page.get_by_text("Derived images purged")).to_be_visible()
    assert bench.public.get("/images/purging/one.jpg/@w=20.webp").headers["X-Cache"] == "MISS"


def test_a_thumbhash_is_seen_before_the_thumbnail(sheet: Sheet) -> None:
    page = sheet.page
    page.route("**/@w=320,h=320,fit=cover.auto", lambda _route: None)  # a gateway that takes its time
    sheet.open("#/browse/shown/")
    early = page.locator(".cell img.early").first
    expect(early).to_be_visible()
    assert page.evaluate("(image) => image.naturalWidth", early.element_handle()) <= 32
