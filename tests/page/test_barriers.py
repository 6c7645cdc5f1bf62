"""Every view: axe finds nothing, nothing violates the policy, nothing is asked of anyone else, in both themes and from
telephones to large screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.counts import TIMES
from tests.gateways import Gateway
from tests.page.conftest import Sheet, barriers


def browsed(page: Page) -> None:
    expect(page.locator(".cell img:not(.early)").first).to_be_visible()


def nothing(page: Page) -> None:
    expect(page.get_by_text("No pictures here yet")).to_be_visible()


def adjusted(page: Page) -> None:
    expect(page.locator(".facts .cache")).to_be_visible()


def tab(name: str) -> Callable[[Page], None]:
    def ready(page: Page) -> None:
        adjusted(page)
        page.get_by_role("tab", name=name).click()

    return ready


def button(name: str, seen: str) -> Callable[[Page], None]:
    def ready(page: Page) -> None:
        adjusted(page)
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(seen)).to_be_visible()

    return ready


def watched(page: Page) -> None:
    expect(page.locator("[data-number=processes]")).not_to_have_text("–")


def questioned(page: Page) -> None:
    page.get_by_role("gridcell", name="flat.png").press("Space")
    page.get_by_role("button", name="Delete").click()


def documented(page: Page) -> None:
    expect(page.locator("#makeUrls")).to_be_visible()


PICTURE = "#/picture/shown/photo.jpg/@w=320.webp"
WHOLE = "html"
DOCUMENTED = ("/images/{name}", "/urls")  # of the operations of /docs, which all look like one of these
VIEWS: dict[str, tuple[str, Callable[[Page], None], str]] = {
    "browse": ("#/browse/shown/", browsed, WHOLE),
    "nothing": ("#/browse/empty/", nothing, "main"),
    "adjust": (PICTURE, adjusted, WHOLE),
    "formats": (PICTURE, tab("Formats"), ".tabs"),
    "copy": (PICTURE, tab("Copy"), ".tabs"),
    "about": (PICTURE, tab("About"), ".tabs"),
    "crop": (PICTURE, button("Crop", ".shape"), ".left"),
    "zoom": (PICTURE, button("Zoom", ".zoom output"), ".left"),
    "watch": ("#/watch", watched, WHOLE),
    "question": ("#/browse/shown/", questioned, "dialog"),
}
"""The address of each view, how it comes about, and the part of it that no earlier view has."""


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_no_barrier_in_either_theme_and_fits_every_screen(view: Sheet, name: str) -> None:
    route, ready, part = VIEWS[name]
    look_closely(view, route, ready, part)


def test_the_page_of_the_api_has_no_barrier_either(sheet: Sheet, bench: Gateway) -> None:
    if TIMES == 1:  # all of it in test-long
        document = bench.api.get("/openapi.json").json()
        document["paths"] = {path: document["paths"][path] for path in DOCUMENTED}
        schemas = document["components"]["schemas"]
        document["components"]["schemas"] = {name: schemas[name] for name in list(schemas)[:3]}
        sheet.page.route("**/openapi.json", lambda route: route.fulfill(json=document))
    look_closely(sheet, "docs", documented, WHOLE)


def look_closely(sheet: Sheet, route: str, ready: Callable[[Page], None], part: str) -> None:
    """Assert that axe finds nothing in the part, in light and in dark, and that nothing is beside a narrow or a wide
    screen."""
    page = sheet.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    ready(sheet.open(route))
    assert barriers(page, part=WHOLE if TIMES > 1 else part) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert barriers(page, {"runOnly": ["color-contrast"]}, part) == []  # all else is the same in both
    for width in (360, 2560):
        page.set_viewport_size({"width": width, "height": 760})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_alone_leads_from_the_list_to_a_changed_picture(sheet: Sheet) -> None:
    page = sheet.open("#/browse/shown/")
    browsed(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("gridcell").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("gridcell", name="photo.jpg")).to_be_focused()
    page.keyboard.press("Enter")
    adjusted(page)
    page.get_by_role("link", name="Skip to the content").press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    expect(page.get_by_role("heading", name="photo.jpg")).to_be_visible()
    page.get_by_role("slider", name="Divider").press("ArrowLeft")
    expect(page.get_by_role("slider", name="Divider")).to_have_attribute("aria-valuenow", "48")
    page.get_by_role("switch", name="gray").press("Space")
    expect(page.locator(".canonical")).to_contain_text("gray=1")
