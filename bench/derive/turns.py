"""The servers take turns at a row: every round measures each of them once, and another one begins.

Every request is for an original that the server has not seen, except in a burst, which is all widths of one such
original asked for at once.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import mean, median

from bench.curve import bytes_at
from bench.derive.rivals import RIVALS
from bench.derive.rows import Row
from bench.peers import Asked, Server
from bench.processes import cpu, tree

OURS = "gateway"
ROUNDS = 5
AT_ONCE = 4  # requests under way, so that both processes of a server are busy

_numbers = count()  # of originals, no two of a name


@dataclass
class Found:
    """What one server did with one row: CPU milliseconds per image by round, and the files of the last round; the files
    of a ladder of qualities, and score and bytes of each."""

    costs: list[float] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    score: float = 0.0
    ladder: list[Path] = field(default_factory=list)
    curve: list[tuple[float, float]] = field(default_factory=list)

    @property
    def cost(self) -> float:
        return median(self.costs)

    @property
    def bytes(self) -> float:
        return mean(file.stat().st_size for file in self.files)

    def bytes_at(self, score: float) -> float | None:
        """Those of its files; where there is a ladder, those at a `score`, None where it does not reach that."""
        return bytes_at(self.curve, score) if self.curve else self.bytes


def take_turns(servers: list[Server], row: Row, original: Path, pictures: Path) -> dict[str, Found]:
    """Measure a row; what was found, by server. The first round warms up: everything is loaded, nothing counted."""
    able = [server for server in servers if takes_part(server.name, row)]
    results = {server.name: Found() for server in able}
    for turn in range(ROUNDS + 1):
        names = _laid_out(original, pictures, row.images if turn else 1)
        first = turn % len(able)
        for server in able[first:] + able[:first]:
            pids = [below for pid in (server.pid, *server.others) for below in tree(pid)]
            before = cpu(pids)
            bodies = _fetched(server, names, row)
            if turn:
                results[server.name].costs.append((cpu(pids) - before) * 1000 / len(bodies))
                results[server.name].files = _kept(bodies[: len(row.widths)], pictures.parent, server.name, row)
        for name in names:
            (pictures / name).unlink()
    for server in able:
        if row.ladder and server.name == row.rival:
            results[server.name].ladder = _ladder(server, row, original, pictures)
    print(f"bench: {row.title}", file=sys.stderr)
    return results


def _ladder(server: Server, row: Row, original: Path, pictures: Path) -> list[Path]:
    """One image of an original at each quality."""
    (name,) = _laid_out(original, pictures, 1)
    files = []
    for quality in row.ladder:
        body = server.fetch(server.path(Asked(name, row.widths[0], row.format, row.height, quality)))
        files.append(pictures.parent / f"{row.name}-{server.name}-q{quality}.{row.format}")
        files[-1].write_bytes(body)
    (pictures / name).unlink()
    return files


def takes_part(name: str, row: Row) -> bool:
    """Whether a server is measured at a row."""
    return name in (OURS, row.rival) if row.rival else name not in row.without and name not in RIVALS


def _laid_out(original: Path, pictures: Path, images: int) -> list[str]:
    """Names of new copies of an original."""
    names = [f"{next(_numbers)}{original.suffix}" for _ in range(images)]
    for name in names:
        shutil.copyfile(original, pictures / name)
    return names


def _fetched(server: Server, names: list[str], row: Row) -> list[bytes]:
    """Every width of every original, one original after the other, several requests under way at once."""
    asked = [Asked(name, width, row.format, row.height, row.quality) for name in names for width in row.widths]
    with ThreadPoolExecutor(max(AT_ONCE, len(row.widths))) as pool:
        return list(pool.map(lambda one: server.fetch(server.path(one)), asked))


def _kept(bodies: Iterable[bytes], folder: Path, server: str, row: Row) -> list[Path]:
    files = []
    for number, body in enumerate(bodies):
        files.append(folder / f"{row.name}-{number}-{server}.{row.format}")
        files[-1].write_bytes(body)
    return files
