"""OpenSeadragon and Mirador in a browser, on a page of another origin: they open an image of 6 megapixels, zoom in and
out, get every tile, and show what Pillow makes of the original."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from tests import images
from tests.gateways import Gateway
from tests.npm import package
from tests.page.conftest import PATIENCE, launched
from tests.waiting import until

PAGES = Path(__file__).with_name("viewers")
WIDTH, HEIGHT = 3000, 2000
NEAR = 10.0  # levels of 255 that means of blocks may differ by; 4.4 do where edges lie within a pixel, 70 do elsewhere
Clip = tuple[int, int, int, int]
Seen = tuple[float, float, float, float]


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Viewer:
    """A viewer's page, and what came to it: statuses by URL, and whatever went wrong."""

    def __init__(self, page: Page, gateway: Gateway) -> None:
        self.page = page
        self.answers: list[tuple[str, int]] = []
        self.wrong: list[str] = []
        self._tiles = f"{gateway.public.base_url}/iiif/3/"
        page.on("response", lambda answer: self.answers.append((answer.url, answer.status)))
        page.on("requestfailed", lambda request: self.wrong.append(f"{request.url}: {request.failure}"))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def tiles(self) -> set[str]:
        """What follows the base URI of the images that it asked for."""
        return {url.removeprefix(self._tiles).partition("/")[2] for url, _ in self.answers if url.endswith(".jpg")}

    def seen(self) -> Seen:
        """What the viewer says that it shows: x, y, width and height in pixels of the original."""
        x, y, width, height = self.page.evaluate("seen()")
        return x, y, width, height

    def differs(self, clip: Clip) -> float:
        """How far blocks of 8x8 pixels of the screen differ from what Pillow makes of the original: the worst one, in
        levels of 255. `clip` is the part of the canvas that is compared: left, top, right and bottom."""
        canvas = self.page.locator(".openseadragon-canvas").first
        screen = images.pixels(canvas.screenshot())
        x, y, width, _ = self.seen()
        left, top, right, bottom = clip
        scale = width / screen.shape[1]
        edges = (x + left * scale, y + top * scale, x + right * scale, y + bottom * scale)
        box = (round(edges[0], 3), round(edges[1], 3), round(edges[2], 3), round(edges[3], 3))
        size = (right - left, bottom - top)
        expected = np.asarray(Image.fromarray(picture()).resize(size, Image.Resampling.LANCZOS, box), np.float64)
        return float(np.abs(blocks(screen[top:bottom, left:right] - expected)).max())

    def shows(self, clip: Clip) -> None:
        """Wait until all blocks of the screen are the original's."""
        until(lambda: self.differs(clip) < NEAR, pause=0.2)


def blocks(difference: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of blocks of 8x8 pixels."""
    height, width = (side // 8 * 8 for side in difference.shape[:2])
    means: NDArray[np.float64] = difference[:height, :width].reshape(height // 8, 8, width // 8, 8, 3).mean((1, 3))
    return means


@functools.cache
def picture() -> NDArray[np.uint8]:
    """A photograph below squares of their own colours, so that a tile in another's place shows."""
    colours = np.random.default_rng(5).integers(0, 100, (HEIGHT // 100, WIDTH // 100, 3))
    squares = colours.repeat(100, 0).repeat(100, 1)
    return (images.photo(WIDTH, HEIGHT) // 2 + squares).astype(np.uint8)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def _image(gateway: Gateway) -> None:
    assert gateway.upload("scans/map.jpg", images.jpeg(picture(), quality=95)).status_code == 201


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of the pages with both viewers."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("openseadragon@6.1.1", "mirador@4.0.0"):
        viewer = folder / name.partition("@")[0]
        viewer.mkdir()
        (viewer / "package").symlink_to(package(name))
        (viewer / "index.html").symlink_to(PAGES / f"{viewer.name}.html")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def opened(browser: Browser, gateway: Gateway, url: str) -> Iterator[Viewer]:
    """A viewer at `url`. At the end every answer must have been 200, and nothing wrong."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PATIENCE)
    viewer = Viewer(context.new_page(), gateway)
    try:
        viewer.page.goto(url)
        yield viewer
    finally:
        context.close()
    assert {status for url, status in viewer.answers if "favicon" not in url} == {200}
    assert viewer.wrong == []


def test_openseadragon_zooms_in_and_out(browser: Browser, gateway: Gateway, site: str) -> None:
    document = f"{gateway.public.base_url}/iiif/3/scans%2Fmap.jpg/info.json"
    with opened(browser, gateway, f"{site}/openseadragon/?open={quote(document)}") as viewer:
        viewer.page.wait_for_function("viewer.world.getItemCount() === 1")
        whole = (0, 0, 900, 600)
        viewer.shows(whole)
        viewer.page.mouse.move(450, 300)
        viewer.page.mouse.wheel(0, -100)
        until(lambda: viewer.seen()[2] < WIDTH)
        viewer.shows(whole)
        viewer.page.evaluate("viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(1))")
        viewer.shows(whole)
        assert viewer.seen()[2] == pytest.approx(900, abs=1)
        viewer.page.evaluate("viewer.viewport.goHome()")
        viewer.shows(whole)
        assert viewer.seen()[2] == pytest.approx(WIDTH, abs=1)
        assert "1024,512,512,512/512,512/0/default.jpg" in viewer.tiles()
        assert "0,0,2048,2000/512,500/0/default.jpg" in viewer.tiles()


def test_mirador_opens_a_folder_and_zooms_in_and_out(browser: Browser, gateway: Gateway, site: str) -> None:
    manifest = f"{gateway.public.base_url}/iiif/presentation/scans/manifest"
    with opened(browser, gateway, f"{site}/mirador/?open={quote(manifest)}") as viewer:
        viewer.page.wait_for_function("Object.values(mirador.store.getState().viewers)[0]?.zoom")
        middle = (80, 16, 944, 496)  # without controls, and without what is beside the image
        viewer.shows(middle)
        viewer.page.get_by_role("button", name="Zoom in").click()
        until(lambda: viewer.seen()[2] < 0.6 * WIDTH)
        viewer.shows(middle)
        viewer.page.get_by_role("button", name="Zoom out").click()
        until(lambda: viewer.seen()[2] > WIDTH)
        viewer.shows(middle)
        assert "full/375,250/0/default.jpg" in viewer.tiles(), "the thumbnail"
        assert "1024,512,512,512/512,512/0/default.jpg" in viewer.tiles()
