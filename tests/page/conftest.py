"""A gateway with pictures, and a browser that looks at it and reports whatever a page must not do."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests import images
from tests.gateways import Gateway, running_gateway

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
"""Chromium as root in a container, and without its own errands into a network that a test must not use."""
REPORT = """addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
});"""
AXE = Axe()
FOUND = "async ([part, options]) => (await axe.run(part === 'html' ? document : part, options)).violations"
FASTER: dict[str, Any] = {"resultTypes": ["violations"], "selectors": False}
"""Of axe: what is right is not described, which takes most of its time."""
PATIENCE = 60_000  # milliseconds that a busy machine may take for a step
SIZE: ViewportSize = {"width": 1280, "height": 900}


@dataclass
class Sheet:
    """A page of the browser on a gateway; `wrong` lists errors, violations of the policy and requests to elsewhere."""

    page: Page
    origin: str
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, route: str = "#/browse/") -> Page:
        self.page.goto(f"{self.origin}/{route}")
        return self.page

    def forget(self) -> None:
        """Leave the page as new: a context or a process of the browser more takes four times as long as a document."""
        self._leave("page/icon.svg")  # a document of the same origin, without scripts

    def leave(self) -> None:
        """Leave the view. The next one begins anew in the same document, which takes sixty requests to load."""
        self._leave("#/browse/nothing/")

    def _leave(self, route: str) -> None:
        page = self.page
        page.unroute_all(behavior="ignoreErrors")
        for other in set(page.context.pages) - {page}:
            other.close()
        page.goto(f"{self.origin}/{route}")
        page.evaluate("sessionStorage.clear(); localStorage.clear()")
        page.set_viewport_size(SIZE)
        page.emulate_media(color_scheme="null", reduced_motion="null")
        self.asked.clear()
        self.wrong.clear()


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """Debian's Chromium. While it is open, no test that is a coroutine can run in this process."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: make setup installs it"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for the files of this folder, none of which has a test that is a coroutine."""
    with launched() as started:
        yield started


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all tests of the page; each has a folder of its own in it."""
    options = {
        "public": {"keys": {"first": "0123456789abcdef0123456789abcdef"}},
        "presets": {"thumbnail": "w=50,h=50,sharpen=0.5", "wide": "w=600,gray=1"},
        "metadata": {"keep": ["copyright"]},
        "overlays": {"label": {"text": "Label", "place": "sw:2p:2p"}},
        "cache": {"revalidate": 5},
        "dialects": {"iiif": {"prefix": "/iiif/3"}},
    }
    with running_gateway(tmp_path_factory.mktemp("page"), options) as running:
        assert running.upload("shown/photo.jpg", photo(640, 480)).status_code == 201
        assert running.upload("shown/flat.png", images.png(images.flat(90, 60))).status_code == 201
        yield running


@pytest.fixture(scope="package")
def tab(browser: Browser, bench: Gateway) -> Iterator[Sheet]:
    with looking(browser, str(bench.api.base_url)) as opened:
        yield opened


@pytest.fixture
def sheet(tab: Sheet) -> Iterator[Sheet]:
    """The page of these tests, without a past. The test fails if the page does anything wrong."""
    tab.forget()
    yield tab
    assert tab.wrong == []


@pytest.fixture
def view(tab: Sheet) -> Iterator[Sheet]:
    """The same for tests that change nothing of the page outside of the view that they open."""
    tab.leave()
    yield tab
    assert tab.wrong == []


@contextlib.contextmanager
def looking(browser: Browser, origin: str, **options: Any) -> Iterator[Sheet]:
    """A page in a context of its own; at the end nothing may have gone wrong in it."""
    context = browser.new_context(**{"viewport": SIZE, "permissions": ["clipboard-read", "clipboard-write"], **options})
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    context.add_init_script(REPORT)
    sheet = Sheet(context.new_page(), origin.rstrip("/"))
    sheet.page.on("pageerror", lambda error: sheet.wrong.append(f"error: {error}"))
    sheet.page.on("console", lambda message: _heard(sheet, message.type, message.text))
    sheet.page.on("request", lambda request: _asked(sheet, request.url))
    try:
        yield sheet
    finally:
        context.close()
    assert sheet.wrong == []


def _heard(sheet: Sheet, kind: str, text: str) -> None:
    """An answer of 400 and above is an error to the browser, and what many tests want."""
    if kind == "error" and not text.startswith("Failed to load resource"):
        sheet.wrong.append(text)


def _asked(sheet: Sheet, url: str) -> None:
    sheet.asked.append(url)
    if not url.startswith((sheet.origin, "blob:", "data:")):
        sheet.wrong.append(f"asks elsewhere: {url}")


def fixed(number: float) -> str:
    """One decimal as JavaScript's toFixed gives it: of two that are as near the larger, where Python takes the even."""
    return str(Decimal(number).quantize(Decimal("0.1"), ROUND_HALF_UP))


def photo(width: int, height: int, seed: int = 1) -> bytes:
    return images.jpeg(images.photo(width, height, seed))


def barriers(page: Page, options: dict[str, list[str]] | None = None, part: str = "html") -> list[str]:
    """What axe finds in a part of the page, each with its element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    violations = page.evaluate(FOUND, [part, FASTER | (options or {})])
    return [f"{one['id']}: {node['html'][:150]}" for one in violations for node in one["nodes"]]
