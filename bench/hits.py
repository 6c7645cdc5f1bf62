"""What a hit costs: CPU time of nginx for a derived image of 10 KB, against the same nginx serving the same file from a
plain `root`, measured in turn. CPU time is read from the scheduler, in nanoseconds; rounds are compared by median."""

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

from gateway.access import sign
from tests import images
from tests.gateways import Gateway, running_gateway

ROUNDS = 9
REQUESTS = 4000  # of each kind in each round
KEY = "a key of thirty-two bytes or more"
PLAIN = "/plain/image.webp"
BARS = {"canonical": 1.15, "query": 1.5, "negotiated webp": 1.5, "negotiated base": 1.5, "signed": 1.5}

IMAGE = "/images/photos/cat.jpg"
RECIPE = "w=900,q=88"

YARDSTICK = """
        location /plain/ {
            root "%s";
        }

        location /images/ {"""


def main() -> int:
    """Print the table; the number of rows over their bar."""
    with tempfile.TemporaryDirectory() as folder:
        costs = {**measure(Path(folder, "open"), "open"), **measure(Path(folder, "signed"), "signed")}
    print(f"\n{'hit':<20}{'CPU, µs':>10}{'ratio':>8}{'bar':>8}")
    over = 0
    for kind, (cost, ratio) in costs.items():
        bar = BARS.get(kind)
        over += bar is not None and ratio > bar
        print(f"{kind:<20}{cost:>10.1f}{ratio:>8.2f}{bar if bar else '':>8}")
    return over


def measure(root: Path, access: str) -> dict[str, tuple[float, float]]:
    """By kind of hit: microseconds of nginx's CPU, and the ratio to the plain file of the same rounds."""
    options = {"public": {"access": access, "keys": {"k": KEY}}}
    with running_gateway(root, options) as gateway:
        assert gateway.upload("photos/cat.jpg", images.jpeg(images.photo(1600, 1200))).status_code == 201
        size = add_yardstick(gateway)
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
    plain = costs.pop("plain file")
    found = {kind: (statistics.median(one), ratio(one, plain)) for kind, one in costs.items()}
    return {f"plain file ({access})": (statistics.median(plain), 1.0), **found}


def ratio(costs: list[float], plain: list[float]) -> float:
    """The median over the rounds of what one costs against the plain file of the same round."""
    return statistics.median(one / other for one, other in zip(costs, plain, strict=True))


def kinds(access: str) -> dict[str, tuple[str, str]]:
    """Target and Accept of each kind of hit."""
    name = f"{IMAGE}/@{RECIPE}"
    if access == "signed":
        signature = sign(f"{name}.webp".removeprefix("/images/"), KEY)
        return {"plain file": (PLAIN, "*/*"), "signed": (f"{name}.webp?sig=k.{signature}", "*/*")}
    return {
        "plain file": (PLAIN, "*/*"),
        "canonical": (f"{name}.webp", "*/*"),
        "query": (f"{IMAGE}?{RECIPE.replace(',', '&')}&format=webp", "*/*"),
        "negotiated webp": (f"{name}.auto", "image/webp,image/*,*/*;q=0.8"),
        "negotiated base": (f"{name}.auto", "*/*"),
    }


def add_yardstick(gateway: Gateway) -> int:
    """Have the running nginx serve the derived image as a plain file too; its size in bytes."""
    data = gateway.api.get(f"{IMAGE}/@{RECIPE}.webp").content
    plain = gateway.root / "yard/plain/image.webp"
    plain.parent.mkdir(parents=True)
    plain.write_bytes(data)
    file = gateway.root / "var/run/nginx/nginx.conf"
    text = file.read_text()
    file.write_text(text.replace("\n        location /images/ {", YARDSTICK % (gateway.root / "yard"), 1))
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
