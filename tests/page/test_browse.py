"""Browse: a million names, search, and what can be done with chosen pictures."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests import images
from tests.gateways import Gateway
from tests.page.conftest import Sheet, photo

MANY = 10_250  # three pages of the listing
MOST_ELEMENTS = 1500  # of the document, however many names there are
MILLION = 1_000_000
MOST_CELLS = 30  # that are drawn at once; on this screen 9 are in sight
PARTS = 25  # of the list that are looked at
SMALL: ViewportSize = {"width": 640, "height": 480}  # what is drawn is most of what scrolling costs
MOST_BYTES = 400  # of memory for each name
TO_THE_END = """async () => {
  const count = document.querySelector(".count");
  const changed = () => new Promise((done) => new MutationObserver(done).observe(count, { childList: true }));
  while (count.textContent.includes("so far")) {
    const more = changed();
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
    await more;
  }
}"""
MADE_UP = """(total) => {
  window.fetch = async (path) => {
    const { pathname, searchParams } = new URL(path, location.origin);
    if (pathname !== "/images") return new Response("", { status: 404 });
    const [prefix, limit] = [searchParams.get("prefix"), Number(searchParams.get("limit"))];
    const from = Number(searchParams.get("marker") ?? 0);
    const length = prefix === "million/" ? Math.min(limit, total - from) : 1;
    const name = (index) => (length === 1 ? prefix : `${prefix}${String(from + index).padStart(7, "0")}.jpg`);
    const images = Array.from({ length }, (_, index) => ({ name: name(index), bytes: 1000 + index }));
    const ended = length === 1 || from + length === total;
    const next = ended ? null : `/images?${new URLSearchParams({ prefix, limit, marker: from + length })}`;
    return Response.json({ folders: [], images, next });
  };
}"""
SCROLLED = """async (parts) => {
  const scroller = document.querySelector(".scroller");
  const drawn = [];
  document.activeElement.blur(); // what has the focus stays in the document
  for (let part = 0; part < parts; part += 1) {
    scroller.scrollTop = ((scroller.scrollHeight - scroller.clientHeight) * part) / parts;
    scroller.dispatchEvent(new Event("scroll"));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const cells = [...scroller.querySelectorAll("[data-index]")].map((cell) => Number(cell.dataset.index));
    drawn.push([Math.min(...cells), Math.max(...cells), cells.length]);
  }
  return drawn;
}"""
"""For each part of the way: the least and the greatest number of a name that is drawn, and how many are."""

DECODE = """async (text) => {
  const { decode } = await import("/page/thumbhash.js");
  const { width, height, pixels } = decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  return [width, height, [...pixels]];
}"""


def test_a_million_names_take_no_more_elements_and_little_memory(sheet: Sheet) -> None:
    """The listing is made up in the page; a place in the list is drawn by what is in sight there, wherever it is."""
    page = sheet.open("#/browse/empty/")
    expect(page.get_by_text("No pictures here yet")).to_be_visible()
    page.set_viewport_size(SMALL)
    page.evaluate(MADE_UP, MILLION)
    page.evaluate("location.hash = '#/browse/million/'")
    page.get_by_role("gridcell", name="0000000.jpg").focus()
    page.evaluate(TO_THE_END)
    expect(page.locator(".count")).to_have_text("1,000,000 pictures")
    drawn = page.evaluate(SCROLLED, PARTS)
    for part, (least, most, cells) in enumerate(drawn):
        assert least - cells <= MILLION * part / PARTS <= most + cells, part
        assert cells < MOST_CELLS
    assert elements(page) < MOST_ELEMENTS
    profiler = page.context.new_cdp_session(page)
    profiler.send("HeapProfiler.collectGarbage")
    assert profiler.send("Runtime.getHeapUsage")["usedSize"] < MILLION * MOST_BYTES
    profiler.detach()
    page.get_by_role("searchbox").fill("09999")
    expect(page.get_by_role("gridcell").first).to_have_attribute("title", "million/09999")


def elements(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


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


def test_a_placeholder_has_the_colours_of_its_picture(sheet: Sheet, bench: Gateway) -> None:
    drawn = images.photo(320, 240)
    assert bench.upload("hashed/photo.png", images.png(drawn)).status_code == 201
    known = bench.api.get("/images/hashed/photo.png?meta=true").json()["placeholder"]
    page = sheet.open()
    expect(page.get_by_role("grid")).to_be_visible()
    width, height, flat = page.evaluate(DECODE, known)
    assert (width, height) == (32, pytest.approx(24, abs=1))
    decoded = np.array(flat).reshape(height, width, 4)
    assert decoded[..., 3].min() > 250
    for rows, part in ((slice(0, height // 3), drawn[:80]), (slice(-height // 3, None), drawn[-80:])):
        assert decoded[rows, :, :3].mean(axis=(0, 1)) == pytest.approx(part.mean(axis=(0, 1)), abs=25)


@pytest.fixture(scope="module")
def many(bench: Gateway) -> Iterator[str]:
    """A folder of so many names, all of one picture. Afterwards it is gone: all later comparisons would list it."""
    folder, data = bench.root / "var/store/many", photo(64, 48)
    folder.mkdir()
    (folder / f"{0:06}.jpg").write_bytes(data)
    for number in range(1, MANY):
        os.link(folder / f"{0:06}.jpg", folder / f"{number:06}.jpg")
    yield "many/"
    shutil.rmtree(folder)


def test_a_folder_of_many_pages_is_scrolled_to_its_last_name(sheet: Sheet, many: str) -> None:
    page = sheet.page
    page.set_viewport_size(SMALL)
    page.route("**/@*", lambda route: route.abort())  # the thumbnails
    sheet.open(f"#/browse/{many}")
    first = page.get_by_role("gridcell", name="000000.jpg")
    expect(first).to_be_visible()
    expect(page.locator(".count")).to_contain_text("so far")
    first.focus()
    page.evaluate(TO_THE_END)
    page.keyboard.press("End")
    expect(page.get_by_role("gridcell", name=f"{MANY - 1:06}.jpg")).to_be_focused()
    expect(page.locator(".count")).to_have_text("10,250 pictures")
    assert elements(page) < MOST_ELEMENTS
    page.keyboard.press("Home")
    expect(page.get_by_role("gridcell", name="000000.jpg")).to_be_focused()


def test_names_are_found_by_how_they_begin(sheet: Sheet, many: str) -> None:
    page = sheet.open(f"#/browse/{many}")
    page.get_by_role("searchbox").fill("01024")
    expect(page.locator(".count")).to_have_text("10 pictures")
    expect(page.get_by_role("gridcell").first).to_have_attribute("title", "many/010240.jpg")
    page.get_by_role("searchbox").fill("nothing")
    expect(page.get_by_text("No name begins like this")).to_be_visible()
