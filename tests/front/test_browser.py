"""What Debian's Chromium gets of `auto` and of <picture>: it shows, with the right pixels, with JPEG XL and without."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import images
from tests.gateways import Gateway

COLOUR = (200, 60, 30)
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    "--virtual-time-budget=10000",
)
WITHOUT_JXL = "--disable-features=JXLImageFormat"

PAGE = """<!doctype html>
<picture>%s<img id="shown" crossorigin="anonymous" src="%s"></picture><p id="told"></p>
<script>
const image = document.getElementById("shown")
const tell = (what) => { document.getElementById("told").textContent = JSON.stringify(what) }
image.onerror = () => tell(null)
image.onload = () => {
  const canvas = document.createElement("canvas")
  const context = canvas.getContext("2d")
  context.drawImage(image, 0, 0)
  const pixel = [...context.getImageData(10, 10, 1, 1).data]
  tell({ source: image.currentSrc, width: image.naturalWidth, pixel: pixel })
}
</script>
"""


@pytest.fixture(scope="module", autouse=True)
def flat(gateway: Gateway) -> None:
    assert gateway.upload("flat.png", images.png(images.flat(64, 48, COLOUR))).status_code == 201


@pytest.fixture(scope="module", autouse=True)
def photograph(gateway: Gateway) -> None:
    assert gateway.upload("photo.jpg", images.jpeg(images.flat(320, 240, COLOUR))).status_code == 201


def address(gateway: Gateway) -> str:
    return str(gateway.public.base_url).rstrip("/") + "/images/flat.png"


def shown(page: str, folder: Path, *options: str) -> dict[str, object]:
    """What the page says of its image once that is there."""
    browser = shutil.which("chromium")
    assert browser, "chromium is missing: make setup installs it"
    file = folder / "page.html"
    file.write_text(page)
    command = [browser, *OPTIONS, *options, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    told = re.search(r'<p id="told">(.+?)</p>', ended.stdout)
    assert told, "the image neither came nor failed"
    found = json.loads(told[1])
    assert isinstance(found, dict), "the image does not show"
    return found


def is_right(found: dict[str, object], width: int) -> None:
    pixel = found["pixel"]
    assert found["width"] == width
    assert isinstance(pixel, list)
    assert all(abs(one - other) <= 3 for one, other in zip(pixel, (*COLOUR, 255), strict=True)), pixel


@pytest.mark.parametrize(
    ("width", "kind", "options"), [(40, "jxl", ()), (41, "avif", (WITHOUT_JXL,))], ids=["with JPEG XL", "without"]
)
def test_a_browser_is_given_the_best_that_it_names(
    gateway: Gateway, tmp_path: Path, width: int, kind: str, options: tuple[str, ...]
) -> None:
    found = shown(
        PAGE % ("", f"{str(gateway.public.base_url).rstrip('/')}/images/flat.png/@w={width}.auto"), tmp_path, *options
    )
    is_right(found, width)
    assert {path.name for path in gateway.derived.rglob(f"@w={width}.*")} == {f"@w={width}.{kind}"}


def test_a_browser_shows_jpeg_xl_of_a_photograph(gateway: Gateway, tmp_path: Path) -> None:
    """It is luma and chroma, as a JPEG has them."""
    name = f"{str(gateway.public.base_url).rstrip('/')}/images/photo.jpg/@w=160.jxl"
    is_right(shown(PAGE % ("", name), tmp_path), 160)


@pytest.mark.parametrize(
    ("offered", "options", "kind"),
    [
        (("jxl", "avif", "webp"), (), "jxl"),
        (("jxl", "avif", "webp"), (WITHOUT_JXL,), "avif"),
        (("jxl", "webp"), (WITHOUT_JXL,), "webp"),
    ],
)
def test_a_picture_element_shows_what_the_browser_can(
    gateway: Gateway, tmp_path: Path, offered: tuple[str, ...], options: tuple[str, ...], kind: str
) -> None:
    name = f"{str(gateway.public.base_url).rstrip('/')}/images/flat.png/@w=44"
    sources = "".join(f'<source type="image/{word}" srcset="{name}.{word}">' for word in offered)
    found = shown(PAGE % (sources, f"{name}.jpg"), tmp_path, *options)
    is_right(found, 44)
    assert str(found["source"]).endswith(f".{kind}")
