"""Every view: axe finds nothing, nothing violates the policy, nothing is asked of anyone else, in both themes and from
telephones to large screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.gateways import Gateway
from tests.page.conftest import Sheet, looking


def browsed(page: Page) -> None:
    expect(page.locator(".cell img:not(.early)").first).to_be_visible()


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
    expect(page.locator("#listImages")).to_be_visible()


PICTURE = "#/picture/shown/photo.jpg/@w=320.webp"
VIEWS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "browse": ("#/browse/shown/", browsed),
    "nothing": ("#/browse/empty/", lambda page: expect(page.get_by_text("No pictures here yet")).to_be_visible()),
    "question": ("#/browse/shown/", questioned),
    "adjust": (PICTURE, adjusted),
    "formats": (PICTURE, tab("Formats")),
    "copy": (PICTURE, tab("Copy")),
    "about": (PICTURE, tab("About")),
    "crop": (PICTURE, button("Crop", ".shape")),
    "zoom": (PICTURE, button("Zoom", ".zoom output")),
    "watch": ("#/watch", watched),
    "docs": ("docs", documented),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, bench: Gateway, theme: str) -> None:
    found = {}
    for view, (route, ready) in VIEWS.items():
        with looking(browser, str(bench.api.base_url), color_scheme=theme, reduced_motion="reduce") as sheet:
            ready(sheet.open(route))
            violations = Axe().run(sheet.page).response["violations"]
            found[view] = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in violations]
    assert {view: wrong for view, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("width", [360, 2560])
def test_no_view_is_wider_than_the_screen(browser: Browser, bench: Gateway, width: int) -> None:
    size = {"width": width, "height": 760}
    wide = {}
    for view, (route, ready) in VIEWS.items():
        with looking(browser, str(bench.api.base_url), viewport=size) as sheet:
            ready(sheet.open(route))
            wide[view] = sheet.page.evaluate("document.documentElement.scrollWidth")
    assert {view: pixels for view, pixels in wide.items() if pixels > width} == {}


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
    page.get_by_role("slider", name="Divider").press("ArrowLeft")
    expect(page.get_by_role("slider", name="Divider")).to_have_attribute("aria-valuenow", "48")
    page.get_by_role("switch", name="gray").press("Space")
    expect(page.locator(".canonical")).to_contain_text("gray=1")
