"""What an open page costs the service: the view "Watch" of the workbench, in a browser, on a gateway that has answered
requests of many kinds, so that its metrics have as many series as they get.

CPU time of the service's process, which a busy machine does not stretch, beyond what it takes while no page is open.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect

from bench.processes import cpu
from tests import images
from tests.gateways import Gateway, running_gateway
from tests.page.conftest import launched, looking

SECONDS = 30.0  # of each of the two measurements
SETTLE = 5.0  # after the first look, which costs more
BAR = 0.5  # percent of a core


def main() -> int:
    """Print the row; return 1 if it is above its bar."""
    with tempfile.TemporaryDirectory() as root, running_gateway(Path(root)) as gateway, launched() as browser:
        ask_everything(gateway)
        time.sleep(SETTLE)
        idle = percent(gateway)
        with looking(browser, str(gateway.api.base_url)) as sheet:
            page = sheet.open("#/watch")
            expect(page.locator("[data-number=processes]")).not_to_have_text("–")
            page.wait_for_timeout(1000 * SETTLE)
            page_open = percent(gateway)
    print(f"page     {page_open - idle:.2f} % of a core while it is open (bar {BAR} %); {idle:.2f} % without it")
    return int(page_open - idle > BAR)


def ask_everything(gateway: Gateway) -> None:
    """A few requests of every kind, answered and refused."""
    gateway.upload("a/photo.jpg", images.jpeg(images.photo(320, 240))).raise_for_status()
    for width in range(10, 30):
        for port in (gateway.public, gateway.api):
            port.get(f"/images/a/photo.jpg/@w={width}.webp").raise_for_status()
            port.get(f"/images/none.jpg/@w={width}.webp")
    for path in ("/images", "/images/a/photo.jpg?meta=true", "/images/a/photo.jpg?original=true", "/formats", "/none"):
        gateway.api.get(path)
    gateway.api.post("/names", json={"names": ["a/photo.jpg/@w=9.jpg"]}).raise_for_status()
    gateway.api.post("/archive", json={"names": ["a/photo.jpg"]}).raise_for_status()


def percent(gateway: Gateway) -> float:
    """Of a core, over some seconds."""
    pids = gateway.pids("service serve")
    before, began = cpu(pids), time.monotonic()
    time.sleep(SECONDS)
    return 100 * (cpu(pids) - before) / (time.monotonic() - began)


if __name__ == "__main__":
    raise SystemExit(main())
