"""Screenshots of the workbench for README and docs, from a gateway that runs. `make pictures` calls it."""

from __future__ import annotations

import hashlib
import io
import shutil
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PAGE = Path(__file__).resolve().parent.parent / "service/api/page"
SIZE = (1280, 820)  # CSS pixels
QUALITY = 80
LONGEST = 60  # seconds that one answer may take
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # loopback needs no proxy
ALBUM: Mapping[str, str] = {
    "dusk": "full",
    "fog": "blur=3,con=-35,bri=20,sat=-40",
    "night": "bri=-35,con=10,sat=-20",
    "morning": "gam=1.6,sat=25",
    "silver": "gray=1,con=20",
    "hills": "crop=0:150:400:300",
    "sun": "crop=380:120:400:300,sat=20",
    "shore": "crop=0:300:800:300",
    "mirrored": "flip=h,sat=10",
    "poster": "colors=12",
}
"""Pictures of the album that the screenshots show, each a recipe of the lake."""


@dataclass(frozen=True)
class Screen:
    """What a screenshot shows: the route, and what has to happen on the page before."""

    route: str
    prepare: Callable[[Page, str], None]


def _browse(page: Page, _public: str) -> None:
    page.locator(".cell img:not(.early)").nth(len(ALBUM) - 1).wait_for()


def _picture(page: Page, _public: str) -> None:
    page.locator(".facts .cache").wait_for()
    divider = page.get_by_role("slider", name="Divider")
    divider.press("PageDown")
    divider.blur()


def _watch(page: Page, public: str) -> None:
    """Some traffic, of which the curves tell."""
    for number in range(90):
        for width in (60 + number * 2, 100 + number % 7 * 10):
            OPEN(f"{public}/images/album/dusk.jpg/@w={width}.webp", timeout=LONGEST).close()
        page.wait_for_timeout(120)
    with_a_mistake = f"{public}/images/album/none.jpg/@w=60.webp"
    try:
        OPEN(with_a_mistake, timeout=LONGEST).close()
    except OSError:  # the refusal that the page shall list
        page.wait_for_timeout(2500)


SCREENS: Mapping[str, Screen] = {
    "workbench-browse.webp": Screen("#/browse/album/", _browse),
    "workbench-picture.webp": Screen("#/picture/album/dusk.jpg/@w=640,con=25,sat=45,sharpen=1.webp", _picture),
    "workbench-watch.webp": Screen("#/watch", _watch),
}


def fingerprints() -> dict[str, str]:
    """What each screenshot is made of, as a hash: every file of the page, its route and the album."""
    files = b"".join(path.name.encode() + path.read_bytes() for path in sorted(PAGE.iterdir()))
    return {
        file: hashlib.sha256(files + screen.route.encode() + repr(ALBUM).encode()).hexdigest()[:16]
        for file, screen in SCREENS.items()
    }


def take(public: str, api: str, lake: bytes) -> dict[str, bytes]:
    """The screenshots as WebP, by their file names."""
    _fill(public, api, lake)
    taken = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file, screen in SCREENS.items():
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
            page.goto(f"{api}/{screen.route}")
            screen.prepare(page, public)
            taken[file] = _webp(page.screenshot())
            page.close()
        browser.close()
    return taken


def _fill(public: str, api: str, lake: bytes) -> None:
    """Store the album: the lake, and what the gateway makes of it."""
    _put(f"{api}/images/album/dusk.jpg", lake)
    for name, recipe in ALBUM.items():
        if name != "dusk":
            with OPEN(f"{public}/images/album/dusk.jpg/@{recipe}.jpg", timeout=LONGEST) as answer:
                _put(f"{api}/images/album/{name}.jpg", answer.read())


def _put(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, body, method="PUT")  # noqa: S310 - the gateway on loopback
    OPEN(request, timeout=LONGEST).close()


def _webp(png: bytes) -> bytes:
    target = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(target, "WEBP", quality=QUALITY, method=6)
    return target.getvalue()
