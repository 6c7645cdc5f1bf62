"""The most memory that a server holds, all its processes together, over 300 different requests of a 24 MP JPEG."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import peers, photographs
from bench.peers import Server
from bench.processes import Peak, watched

REQUESTS = 300
AT_ONCE = 8
FORMATS = ("jpg", "webp", "jpg", "webp", "avif")
BAR = 150  # MiB of shared pages once


def main() -> int:
    """Print the table; 1 if the gateway holds more than its bar."""
    peers.HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=peers.HOME) as folder:
        scratch = Path(folder)
        pictures = scratch / "pictures"
        pictures.mkdir()
        photographs.large(scratch).rename(pictures / "large.jpg")
        peaks = {}
        for start in peers.SERVERS:
            with start(pictures, scratch) as server:
                peaks[server.name] = peak(server)
    ours = next(iter(peaks.values()))
    print("\n| resident memory, MiB | " + " | ".join(peaks) + " |\n| --- |" + " --- |" * len(peaks))
    print("| shared pages once (PSS) | " + " | ".join(f"{peak.shared >> 20}" for peak in peaks.values()) + " |")
    print("| in every process (RSS) | " + " | ".join(f"{peak.sum >> 20}" for peak in peaks.values()) + " |")
    print(f"bar of the gateway: {BAR} MiB, shared pages once")
    return int(ours.shared > BAR << 20)


def peak(server: Server) -> Peak:
    """The memory of a server while it answers AT_ONCE requests at a time."""
    with watched(server.pid) as found, ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda asked: server.get("large.jpg", *asked), requests()):
            pass
    return found


def requests() -> list[tuple[int, str]]:
    """Widths and formats, no two alike: most of them small, as pages ask for them; AVIF the smallest."""
    mixed = []
    for number in range(REQUESTS):
        kind = FORMATS[number % len(FORMATS)]
        most = 480 if kind == "avif" else 1600
        mixed.append((100 + number * 37 % (most - 100), kind))
    assert len(set(mixed)) == REQUESTS
    return mixed


if __name__ == "__main__":
    raise SystemExit(main())
