"""Putting pictures in: by drop, by paste, by choice; a refusal says why, and what is there is not sent again."""

from __future__ import annotations

import base64

from playwright.sync_api import FilePayload, Page, Route, expect

from tests import images
from tests.gateways import Gateway
from tests.page.conftest import Sheet, photo

HAND_OVER = """([event, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const given = event === "paste" ? { clipboardData: transfer } : { dataTransfer: transfer };
  const Kind = event === "paste" ? ClipboardEvent : DragEvent;
  document.dispatchEvent(new Kind(event, { ...given, bubbles: true, cancelable: true }));
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
