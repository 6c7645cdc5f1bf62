"""What a derived image costs: CPU time over the whole path, caches cold, of the gateway and of its peers in turn.

Every request is for an original that the server has not seen, except in a burst, which is six widths of one such
original asked for at once. In every round another server begins; rounds are compared by median. What came back is
scored against the original, by bench/score.py.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bench import peers, photographs
from bench.peers import Server
from bench.processes import cpu, tree

ROUNDS = 6
AT_ONCE = 4  # requests under way, so that both processes of a server are busy
BURST = (320, 480, 640, 960, 1280, 1920)
SCORE_SLACK = 0.5  # points that may be missing to the cheaper peer's score
BYTES_SLACK = 1.1


@dataclass(frozen=True)
class Row:
    """Work, `images` of it in a round, and the bar: what it may cost at most against the cheaper peer."""

    title: str
    source: str
    format: str
    bar: float
    widths: tuple[int, ...] = (640,)
    images: int = 12


@dataclass
class Found:
    """What one server did with one row: CPU milliseconds per image by round, and the files of the last round."""

    costs: list[float] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    score: float = 0.0

    @property
    def cost(self) -> float:
        return statistics.median(self.costs)

    @property
    def bytes(self) -> float:
        return statistics.mean(file.stat().st_size for file in self.files)


ROWS = (
    Row("JPEG 6 MP to JPEG 640", "photo", "jpg", 1.0),
    Row("to JPEG 200", "photo", "jpg", 1.0, widths=(200,)),
    Row("to WebP 640", "photo", "webp", 1.0),
    Row("to AVIF 640", "photo", "avif", 0.5, images=4),
    Row("PNG 3 MP with alpha to WebP 640", "alpha", "webp", 1.0, images=4),
    Row("six WebP widths 320 to 1920 at once", "photo", "webp", 0.7, widths=BURST, images=2),
)
AVIF = 3
QUALITIES = (40, 44, 48, 52, 56, 60)  # of our AVIF, to find its bytes at the peer's score

Results = list[dict[str, Found]]  # by row, by server


def main() -> int:
    """Print the table; the number of rows over their bar."""
    peers.HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=peers.HOME) as folder:
        scratch = Path(folder)
        originals = {"photo": photographs.photo(scratch), "alpha": photographs.alpha(scratch)}
        pictures = scratch / "pictures"
        pictures.mkdir()
        with peers.all_servers(pictures, scratch) as servers:
            results = measure(servers, originals, pictures)
            ladder = avif_ladder(servers[0], originals["photo"], pictures)
        scores = scored(originals, results, ladder)
        for file in ladder:
            ladder[file] = scores[str(file)]
        return report(results, ladder)


def measure(servers: list[Server], originals: dict[str, Path], pictures: Path) -> Results:
    results: Results = [{server.name: Found() for server in servers} for _ in ROWS]
    for turn in range(ROUNDS + 1):  # the first warms up: everything is loaded and nothing counted
        for index, row in enumerate(ROWS):
            names = laid_out(originals[row.source], pictures, f"{index}-{turn}", row.images)
            first = turn % len(servers)
            for server in servers[first:] + servers[:first]:
                found, pids = results[index][server.name], tree(server.pid)
                before = cpu(pids)
                bodies = fetched(server, names, row)
                if turn:
                    found.costs.append((cpu(pids) - before) * 1000 / len(bodies))
                found.files = kept(bodies[: len(row.widths)], pictures.parent, f"{server.name}-{index}.{row.format}")
            print(f"round {turn}: {row.title}", file=sys.stderr)
    return results


def laid_out(original: Path, pictures: Path, prefix: str, count: int) -> list[str]:
    """Names of new copies of an original."""
    names = [f"{prefix}-{number}{original.suffix}" for number in range(count)]
    for name in names:
        shutil.copyfile(original, pictures / name)
    return names


def fetched(server: Server, names: list[str], row: Row) -> list[bytes]:
    """Every width of every original, one original after the other, several requests under way at once."""
    asked = [(name, width) for name in names for width in row.widths]
    with ThreadPoolExecutor(max(AT_ONCE, len(row.widths))) as pool:
        return list(pool.map(lambda one: server.get(one[0], one[1], row.format), asked))


def kept(bodies: Iterable[bytes], folder: Path, name: str) -> list[Path]:
    files = []
    for number, body in enumerate(bodies):
        files.append(folder / f"{number}-{name}")
        files[-1].write_bytes(body)
    return files


def avif_ladder(gateway: Server, photo: Path, pictures: Path) -> dict[Path, float]:
    """Our AVIF at several qualities, as files still without a score."""
    (name,) = laid_out(photo, pictures, "ladder", 1)
    paths = [gateway.path(name, 640, "avif").replace(".avif", f",q={quality}.avif") for quality in QUALITIES]
    return dict.fromkeys(kept(map(gateway.fetch, paths), pictures.parent, "ladder.avif"), 0.0)


def scored(originals: dict[str, Path], results: Results, ladder: Iterable[Path]) -> dict[str, float]:
    """The score of every file, noted as a mean in the results too."""
    asked: dict[str, list[str]] = {str(original): [] for original in originals.values()}
    for row, servers in zip(ROWS, results, strict=True):
        asked[str(originals[row.source])] += [str(file) for found in servers.values() for file in found.files]
    asked[str(originals["photo"])] += map(str, ladder)
    python = peers.environment(peers.HERE / "score.txt") / "bin/python"
    command = [python, peers.HERE / "score.py"]
    answer = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    scores: dict[str, float] = json.loads(answer.stdout)
    for servers in results:
        for found in servers.values():
            found.score = statistics.mean(scores[str(file)] for file in found.files)
    return scores


def report(results: Results, ladder: dict[Path, float]) -> int:
    short = 0
    print(
        "\n| work | gateway | imagemagick | thumbor | IPX | against the cheaper peer | bar | scores in order | bytes |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for row, servers in zip(ROWS, results, strict=True):
        ours, _, *others = servers.values()  # the second is ours too, and no peer
        cheaper = min(others, key=lambda found: found.cost)
        ratio = ours.cost / cheaper.cost
        short += ratio > row.bar or ours.score < cheaper.score - SCORE_SLACK
        costs = " | ".join(f"{found.cost:.1f}" for found in servers.values())
        scores = ", ".join(f"{found.score:.1f}" for found in servers.values())
        sizes = ", ".join(f"{found.bytes / 1000:.1f}k" for found in servers.values())
        print(f"| {row.title} | {costs} | {ratio:.2f} | {row.bar} | {scores} | {sizes} |")
    return short + report_avif(results[AVIF], ladder)


def report_avif(servers: dict[str, Found], ladder: dict[Path, float]) -> int:
    """The bytes of our AVIF at each peer's score, between the two qualities that enclose it."""
    _, _, *others = servers
    cheaper = min(others, key=lambda name: servers[name].cost)
    points = sorted((score, file.stat().st_size) for file, score in ladder.items())
    short = 0
    for name in others:
        peer = servers[name]
        ratio = interpolated(points, peer.score) / peer.bytes
        print(f"AVIF at the score of {name}, {peer.score:.1f}: {ratio:.2f} of its bytes")
        short += name == cheaper and ratio > BYTES_SLACK
    return short


def interpolated(points: list[tuple[float, int]], score: float) -> float:
    """Bytes at a score; beyond the ends, along the last two points."""
    at = next((index for index, point in enumerate(points[1:-1], 1) if point[0] >= score), len(points) - 1)
    (low, less), (high, more) = points[at - 1 : at + 1]
    return less + (more - less) * (score - low) / (high - low)


if __name__ == "__main__":
    raise SystemExit(main())
