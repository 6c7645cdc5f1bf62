"""What a hit costs: CPU time of nginx for a derived image of 10 KB, against the same nginx serving the same file from
two locations written by hand: a plain `root`, and a `try_files`; a remembered URL of a dialect against a canonical
name. All are measured in turn, in many short rounds, which
a busy machine disturbs alike; CPU time is read from the scheduler, in nanoseconds; rounds are compared by median."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.access import sign
from tests import images
from tests.gateways import Gateway, running_gateway

ROUNDS = 60
REQUESTS = 600  # of each kind in each round
KEY = "a key of thirty-two bytes or more"
ROOT, TRY_FILES, CANONICAL = "root", "try_files", "canonical"
YARDSTICKS = {ROOT: "/plain/image.webp", TRY_FILES: "/tried/image.webp"}
COMPARED = (*YARDSTICKS, CANONICAL)
BARS = {
    CANONICAL: {ROOT: 1.25, TRY_FILES: 1.08},
    "query": {ROOT: 1.5},
    "negotiated webp": {ROOT: 1.5},
    "negotiated base": {ROOT: 1.5},
    "signed": {ROOT: 1.5},
    "dialect": {CANONICAL: 1.3},
}

IMAGE = "/images/photos/cat.jpg"
RECIPE = "w=900"
QUALITY = 88
DIALECT = "/iiif/3/photos%2Fcat.jpg/full/900,/0/default.webp"  # the same pixels

LOCATIONS = """
        location /plain/ {
            root "%(root)s";
        }

        location /tried/ {
            root "%(root)s";
            try_files $uri =404;
        }

        location /images/ {"""


def main() -> int:
    """Print the table; the number of ratios over their bar."""
    with tempfile.TemporaryDirectory() as folder:
        costs = {**measure(Path(folder, "open"), "open"), **measure(Path(folder, "signed"), "signed")}
    print(f"\n{'hit':<20}{'CPU, µs':>10}" + "".join(f"{f'to {name}':>14}{'bar':>6}" for name in COMPARED))
    over = 0
    for kind, (cost, ratios) in costs.items():
        bars = BARS.get(kind, {})
        over += sum(ratios[name] > bar for name, bar in bars.items())
        print(
            f"{kind:<20}{cost:>10.1f}"
            + "".join(f"{ratios[name]:>14.2f}{bars.get(name, ''):>6}" for name in COMPARED if name in ratios)
        )
    return over


def measure(root: Path, access: str) -> dict[str, tuple[float, dict[str, float]]]:
    """By kind of hit: microseconds of nginx's CPU, and its ratio to each yardstick in the same rounds."""
    options: dict[str, Any] = {
        "public": {"access": access, "keys": {"k": KEY}},
        "formats": {"quality": {"webp": QUALITY}},
        "dialects": {"iiif": {"prefix": "/iiif/3" if access == "open" else ""}},
    }
    with running_gateway(root, options) as gateway:
        assert gateway.upload("photos/cat.jpg", images.jpeg(images.photo(1600, 1200))).status_code == 201
        size = add_yardsticks(gateway)
        print(f"{access}: a file of {size} bytes", file=sys.stderr)
        requests = {kind: request(*asked) for kind, asked in kinds(access).items()}
        nginx = gateway.pids("nginx: worker")
        costs: dict[str, list[float]] = {kind: [] for kind in requests}
        for _ in range(ROUNDS):
            for kind, bytes_sent in requests.items():
                with connection(gateway) as plug:
                    drive(plug, bytes_sent, 100)
                    before = cpu(nginx)
                    drive(plug, bytes_sent, REQUESTS)
                    costs[kind].append((cpu(nginx) - before) / REQUESTS / 1000)
    return {
        f"{kind} ({access})" if kind in YARDSTICKS else kind: (
            statistics.median(found),
            {name: ratio(found, costs[name]) for name in COMPARED if name in costs},
        )
        for kind, found in costs.items()
    }


def ratio(costs: list[float], yardstick: list[float]) -> float:
    """The median over the rounds of what one costs against the yardstick in the same round."""
    return statistics.median(one / other for one, other in zip(costs, yardstick, strict=True))


def kinds(access: str) -> dict[str, tuple[str, str]]:
    """Target and Accept of each kind of hit."""
    name = f"{IMAGE}/@{RECIPE}"
    yardsticks = {yard: (path, "*/*") for yard, path in YARDSTICKS.items()}
    if access == "signed":
        signature = sign(f"{name}.webp".removeprefix("/images/"), KEY)
        return {**yardsticks, "signed": (f"{name}.webp?sig=k.{signature}", "*/*")}
    return {
        **yardsticks,
        CANONICAL: (f"{name}.webp", "*/*"),
        "query": (f"{IMAGE}?{RECIPE.replace(',', '&')}&format=webp", "*/*"),
        "negotiated webp": (f"{name}.auto", "image/webp,image/*,*/*;q=0.8"),
        "negotiated base": (f"{name}.auto", "*/*"),
        "dialect": (DIALECT, "*/*"),
    }


def add_yardsticks(gateway: Gateway) -> int:
    """Have the running nginx serve the derived image from the yardsticks' locations too; its size in bytes."""
    data = gateway.api.get(f"{IMAGE}/@{RECIPE}.webp").content
    yard = gateway.root / "yard"
    for path in YARDSTICKS.values():
        file = yard / path.removeprefix("/")
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
    file = gateway.root / "var/run/nginx/nginx.conf"
    text = file.read_text()
    file.write_text(text.replace("\n        location /images/ {", LOCATIONS % {"root": yard}, 1))
    (master,) = gateway.pids("nginx: master")
    old = set(gateway.pids("nginx: worker"))
    os.kill(master, signal.SIGHUP)
    while old & set(gateway.pids("nginx: worker")) or not gateway.pids("nginx: worker"):
        time.sleep(0.05)
    return len(data)


def request(target: str, accept: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode()


@contextmanager
def connection(gateway: Gateway) -> Iterator[socket.socket]:
    url = gateway.public.base_url
    with socket.create_connection((url.host, url.port or 80)) as plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield plug


def drive(plug: socket.socket, sent: bytes, count: int) -> None:
    """Send a request `count` times over one connection, one after the other; every answer must be a 200 of one size."""
    size = 0
    for _ in range(count):
        plug.sendall(sent)
        head = b""
        while b"\r\n\r\n" not in head:
            head += receive(plug)
        head, _, body = head.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        left = size - len(body)
        while left > 0:
            left -= len(receive(plug))


def receive(plug: socket.socket) -> bytes:
    data = plug.recv(65536)
    assert data, "nginx closed the connection"
    return data


def cpu(pids: list[int]) -> int:
    """Nanoseconds that these processes have been on a core."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids)


if __name__ == "__main__":
    raise SystemExit(main())
