"""Putting pictures in: by drop, by paste, by choice; a refusal says why, and what is there is not sent again."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests import images
from tests.gateways import Gateway
from tests.page.conftest import Sheet, looking, photo

HAND_OVER = """([event, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const given = event === "paste" ? { clipboardData: transfer } : { dataTransfer: transfer };
  const Kind = event === "paste" ? ClipboardEvent : DragEvent;
  document.dispatchEvent(new Kind(event, { ...given, bubbles: true, cancelable: true }));
}"""

TOLD = """async () => {
  const { Tray } = await import("/page/tray.js");
  let now = 0;
  performance.now = () => now * 1000;
  const upload = (name, state) => ({ name, file: { size: 10e6 }, state, sent: 0, why: "", code: "", replace: false });
  const [first, second] = [upload("first.jpg", "sending"), upload("second.jpg", "waiting")];
  const tray = new Tray([first, second], { again() {}, stop() {}, clear() {} });
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const texts = [];
  const tell = async (seconds, sent) => {
    [now, first.sent] = [seconds, sent];
    tray.moved();
    await frame();
    const [all, one] = [...tray.element.querySelectorAll("p.soft, li.sending .soft")].map((part) => part.textContent);
    texts.push([all, one, ...[...tray.element.querySelectorAll("progress")].slice(0, 2).map((bar) => bar.value)]);
  };
  tray.show();
  await tell(0, 0);
  await tell(2, 4e6);
  await tell(4, 5e6);
  await tell(30, 5001e3);
  return texts;
}"""

THERE = """(digest) => {
  const fetch = window.fetch;
  window.asked = [];
  window.fetch = async (path, options) => {
    const [, name] = /^[/]images[/]folders[/]holiday[/]beach[/]([^?]+)/.exec(path) ?? [];
    if (!name) return fetch(path, options);
    if (options.method === "HEAD") window.asked.push(name);
    return new Response(null, { status: options.method === "HEAD" ? 200 : 404, headers: { "Repr-Digest": digest } });
  };
}"""


def hand_over(page: Page, event: str, name: str, data: bytes, content_type: str = "image/jpeg") -> None:
    """Drop or paste one file, as a browser does it."""
    page.evaluate(HAND_OVER, [event, name, content_type, base64.b64encode(data).decode()])


def test_a_picture_that_is_dropped_is_stored_in_the_folder_that_is_open(sheet: Sheet, bench: Gateway) -> None:
    page, data = sheet.open("#/browse/dropped/"), photo(320, 240)
    expect(page.get_by_text("No pictures here yet")).to_be_visible()
    hand_over(page, "drop", "one.jpg", data)
    expect(page.locator(".uploads .stored")).to_contain_text("dropped/one.jpg")
    assert bench.api.get("/images/dropped/one.jpg?original=true").content == data
    expect(page.get_by_role("gridcell")).to_have_count(1)
    expect(page.locator(".cell img:not(.early)")).to_be_visible()


def test_a_picture_that_is_pasted_is_stored_under_a_name_of_its_own(sheet: Sheet, bench: Gateway) -> None:
    page, data = sheet.open("#/browse/pasted/"), images.png(images.flat(40, 30))
    expect(page.get_by_role("button", name="Put pictures in").first).to_be_visible()
    hand_over(page, "paste", "image.png", data, "image/png")
    expect(page.locator(".uploads .stored")).to_be_visible()
    (listed,) = bench.api.get("/images?prefix=pasted/").json()["images"]
    assert listed["name"].startswith("pasted/pasted-20")
    assert bench.api.get(f"/images/{listed['name']}?original=true").content == data


def test_a_refusal_says_in_the_place_of_the_picture_what_was_wrong(sheet: Sheet, bench: Gateway) -> None:
    page = sheet.open("#/browse/refused/")
    hand_over_when_ready(page, "notes.jpg", b"this is no picture")
    refused = page.locator(".uploads .refused")
    expected = bench.api.put("/images/refused/other.jpg", content=b"this is no picture").json()["detail"]
    expect(refused).to_contain_text("refused/notes.jpg")
    expect(refused).to_contain_text(expected)
    expect(refused.get_by_role("button", name="Try again")).to_be_visible()


def test_what_is_there_already_is_not_sent_again(sheet: Sheet, bench: Gateway) -> None:
    there, new = photo(200, 150, 5), photo(200, 150, 6)
    assert bench.upload("again/there.jpg", there).status_code == 201
    page = sheet.open("#/browse/again/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    files: list[FilePayload] = [
        {"name": name, "mimeType": "image/jpeg", "buffer": data}
        for name, data in (("there.jpg", there), ("new.jpg", new))
    ]
    page.locator("input[accept]").first.set_input_files(files)
    expect(page.locator(".uploads .present")).to_contain_text("already there")
    expect(page.locator(".uploads .stored")).to_contain_text("again/new.jpg")
    assert [url.rpartition("/")[2] for url in sent] == ["new.jpg"]


def test_another_picture_of_the_name_is_replaced_only_when_that_is_asked_for(sheet: Sheet, bench: Gateway) -> None:
    first, second = photo(160, 120, 7), photo(160, 120, 8)
    assert bench.upload("taken/one.jpg", first).status_code == 201
    page = sheet.open("#/browse/taken/")
    hand_over_when_ready(page, "one.jpg", second)
    expect(page.locator(".uploads .refused")).to_contain_text("another picture has this name")
    assert bench.api.get("/images/taken/one.jpg?original=true").content == first
    page.get_by_role("button", name="Replace it").click()
    expect(page.locator(".uploads .stored")).to_be_visible()
    assert bench.api.get("/images/taken/one.jpg?original=true").content == second


def test_an_upload_goes_on_after_the_connection_broke(sheet: Sheet, bench: Gateway) -> None:
    page, data = sheet.open("#/browse/broken/"), photo(300, 200, 9)
    broken: list[str] = []

    def fail_once(route: Route) -> None:
        if route.request.method == "PUT" and not broken:
            broken.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/images/broken/**", fail_once)
    hand_over_when_ready(page, "one.jpg", data)
    expect(page.locator(".uploads .stored")).to_be_visible()
    assert len(broken) == 1
    assert bench.api.get("/images/broken/one.jpg?original=true").content == data


def hand_over_when_ready(page: Page, name: str, data: bytes) -> None:
    expect(page.get_by_role("button", name="Put pictures in").first).to_be_visible()
    hand_over(page, "drop", name, data)


@pytest.fixture
def holiday(tmp_path: Path) -> Path:
    """A folder with a hundred and one pictures in a folder of its own, more than a browser lists at once."""
    folder = tmp_path / "holiday"
    (folder / "beach").mkdir(parents=True)
    (folder / "map.jpg").write_bytes(photo(40, 30, 100))
    (folder / ".hidden").write_text("what a file manager leaves")
    (folder / "beach/000.jpg").write_bytes(photo(40, 30))
    for number in range(1, 101):
        os.link(folder / "beach/000.jpg", folder / f"beach/{number:03}.jpg")
    return folder


def test_a_folder_that_is_dropped_is_stored_with_all_that_is_in_it(sheet: Sheet, bench: Gateway, holiday: Path) -> None:
    digest = base64.b64encode(hashlib.sha256(photo(40, 30)).digest()).decode()
    page = sheet.open("#/browse/folders/")
    expect(page.get_by_text("No pictures here yet")).to_be_visible()
    page.evaluate(THERE, f"sha-256=:{digest}:")  # as if all of the beach were stored, which takes long
    browser = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(holiday)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 400, "data": data})
    browser.detach()
    expect(page.locator("#tray")).to_contain_text("102 pictures of 102 in")
    asked = page.evaluate("window.asked")
    assert sorted(asked) == [f"{number:03}.jpg" for number in range(101)]
    listed = [one["name"] for one in bench.api.get("/images?prefix=folders/").json()["images"]]
    assert listed == ["folders/holiday/map.jpg"]
    expect(page.get_by_role("gridcell", name="holiday")).to_be_visible()


def test_a_folder_that_is_chosen_keeps_its_names(sheet: Sheet, bench: Gateway, tmp_path: Path) -> None:
    (tmp_path / "chosen/inner").mkdir(parents=True)
    (tmp_path / "chosen/inner/one.jpg").write_bytes(photo(40, 30))
    page = sheet.open("#/browse/by-button/")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Folder").first.click()
    chooser.value.set_files(tmp_path / "chosen")
    expect(page.locator(".uploads .stored")).to_contain_text("by-button/chosen/inner/one.jpg")


def test_a_telephone_offers_its_camera_and_each_photo_gets_a_name(browser: Browser, bench: Gateway) -> None:
    telephone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with looking(browser, str(bench.api.base_url), **telephone) as sheet:
        page = sheet.open("#/browse/camera/")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Camera").first.tap()
        field = chooser.value.element
        assert (field.get_attribute("capture"), field.get_attribute("accept")) == ("environment", "image/*")
        taken: FilePayload = {"name": "image.jpg", "mimeType": "image/jpeg", "buffer": photo(64, 48, 11)}
        chooser.value.set_files(taken)
        expect(page.locator(".uploads .stored")).to_contain_text("camera/photo-20")
        (listed,) = bench.api.get("/images?prefix=camera/").json()["images"]
        assert bench.api.get(f"/images/{listed['name']}?original=true").content == photo(64, 48, 11)


def test_speed_and_time_left_are_those_of_the_last_seconds(sheet: Sheet) -> None:
    """Two files of 10 MB: 4 MB in two seconds, 1 MB in the next two, and almost nothing in the last eight."""
    page = sheet.open("#/browse/empty/")
    expect(page.get_by_text("No pictures here yet")).to_be_visible()
    told = page.evaluate(TOLD)
    assert [text for text, *_ in told] == [
        "0 pictures of 2 in · …",
        "0 pictures of 2 in · 2.0 MB/s · 8 s left",
        "0 pictures of 2 in · 1.3 MB/s · 12 s left",
        "0 pictures of 2 in · …",
    ]
    assert [text for _, text, *_ in told] == [f"{sent} of 10 MB" for sent in ("0 B", "4.0 MB", "5.0 MB", "5.0 MB")]
    assert [bars for _, _, *bars in told] == [
        [0, 0],
        [4e6, 4e6],
        [5e6, 5e6],
        [5.001e6, 5.001e6],
    ]  # of all, of the first
