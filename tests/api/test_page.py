"""The page at /docs in a real browser: it renders the API's document, from files that are shipped with it."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from aiohttp.test_utils import TestClient

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


async def test_a_browser_shows_every_operation_of_the_document(alone: TestClient[Any, Any], tmp_path: Path) -> None:
    page = await asyncio.to_thread(rendered, str(alone.make_url("/docs")), tmp_path / "profile")
    text = re.sub(r"<[^>]+>", "", page)
    paths = (await (await alone.get("/openapi.json")).json())["paths"]
    assert len(paths) >= 8
    for path, operations in paths.items():
        assert path in text, path
        for operation in operations.values():
            assert operation["summary"].replace("`", "").partition(".")[0][:40] in text, operation["summary"]


async def test_the_page_asks_nobody_else_for_anything(alone: TestClient[Any, Any]) -> None:
    answered = await alone.get("/docs")
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", await answered.text())
    assert addresses
    assert not [address for address in addresses if "//" in address]
    for address in addresses:
        assert (await alone.get(urljoin("/docs", address))).status == 200, address
    assert "default-src" in answered.headers["Content-Security-Policy"]
