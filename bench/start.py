"""What a start takes until the first image, in seconds of CPU, and what a server holds while it is idle.

The gateway has compared its twins, asked its libraries and filled in nginx's template at an earlier start, as all but
the first have, and its bytecode is compiled, as pip does for what it installs: without it a start takes half as much
again. Each server is started STARTS times; the medians count.
"""

from __future__ import annotations

import compileall
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bench import peers, photographs
from bench.peers import Server
from bench.processes import resident, total_cpu, tree

STARTS = 5
SETTLE = 1.0  # seconds that an idle server is left alone before its memory is read
BAR_CPU = 0.7  # seconds
BAR_IDLE = 90  # MiB

Start = Callable[[Path, Path], AbstractContextManager[Server]]


def main() -> int:
    """Print the table; return how many of the gateway's rows are above their bars."""
    peers.HOME.mkdir(parents=True, exist_ok=True)
    for package in ("gateway", "service"):
        compileall.compile_dir(peers.HERE.parent / package, quiet=1)
    with tempfile.TemporaryDirectory(dir=peers.HOME) as folder:
        scratch = Path(folder)
        pictures = scratch / "pictures"
        pictures.mkdir()
        shutil.copy(photographs.photo(scratch), pictures / "photo.jpg")
        rows = dict(measured(start, pictures, scratch) for start in (peers.gateway, peers.thumbor, peers.ipx))
    print("\n| | " + " | ".join(rows) + " | bar |\n| --- |" + " --- |" * (len(rows) + 1))
    starts = [f"{cpu:.2f}" for cpu, _ in rows.values()]
    sizes = [f"{idle:.0f}" for _, idle in rows.values()]
    print(f"| start to the first image, CPU s | {' | '.join(starts)} | {BAR_CPU} |")
    print(f"| idle, MiB (PSS) | {' | '.join(sizes)} | {BAR_IDLE} |")
    cpu, idle = next(iter(rows.values()))
    return (cpu > BAR_CPU) + (idle > BAR_IDLE)


def measured(start: Start, pictures: Path, scratch: Path) -> tuple[str, tuple[float, float]]:
    """The name of a server, the seconds of CPU of a start until its first image, and its MiB before that."""
    found = []
    for number in range(STARTS + 1):
        with start(pictures, scratch) as server:
            found.append(_once(server, 300 + number))
    seconds, sizes = zip(*found[1:], strict=True)  # the first start is another
    return server.name, (statistics.median(seconds), statistics.median(sizes))


def _once(server: Server, width: int) -> tuple[float, float]:
    time.sleep(SETTLE)
    idle = sum(resident(pid)[0] for pid in tree(server.pid)) / 2**20
    server.get("photo.jpg", width, "jpg")
    return total_cpu(tree(server.pid)), idle


if __name__ == "__main__":
    raise SystemExit(main())
