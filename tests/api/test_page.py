"""The page at /docs in a real browser: it renders the API's document, from files that are shipped with it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

from tests.gateways import Gateway

# Chromium as root in a container, and without its own errands into a network that a test must not use.
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--virtual-time-budget=5000",
)


def rendered(address: str, profile: Path) -> str:
    """The document as a browser has it once its scripts have run."""
    browser = shutil.which("chromium")
    assert browser, "chromium is missing: make setup installs it"
    ended = subprocess.run(
        [browser, *OPTIONS, f"--user-data-dir={profile}", "--dump-dom", address],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ended.stdout


def test_a_browser_shows_every_operation_of_the_document(shared: Gateway, tmp_path: Path) -> None:
    page = rendered(f"{shared.api.base_url}/docs", tmp_path)
    text = re.sub(r"<[^>]+>", " ", page)
    paths = shared.api.get("/openapi.json").json()["paths"]
    assert len(paths) >= 8
    for path, operations in paths.items():
        assert path in text, path
        for operation in operations.values():
            assert operation["summary"].partition(".")[0][:40] in text, operation["summary"]


def test_the_page_asks_nobody_else_for_anything(shared: Gateway) -> None:
    page = shared.api.get("/docs").text
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert addresses
    assert not [address for address in addresses if "//" in address]
    for address in addresses:
        assert shared.api.get(urljoin("/docs", address)).status_code == 200, address
    assert "default-src" in shared.api.get("/docs").headers["Content-Security-Policy"]
