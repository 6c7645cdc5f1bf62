"""What checking and describing cost: CPU of all processes for an upload, and for the metadata of a new original.

Both are the photograph of 6 megapixels; the upload has 1.8 MB. No two have the same bytes. Originals whose metadata are
asked for lie in the store's directory, and nothing of them is in a cache. Then the rows of `many_uploads`. `bench/run
uploads` exits with the number of rows over the bar.
"""

from __future__ import annotations

import io
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench import many_uploads, photographs
from bench.processes import cpu, tree
from tests import images
from tests.gateways import Gateway, running_gateway

SIZE = 1_800_000
"""Bytes of the upload: the photograph at the quality that comes nearest."""

ROUNDS = 6
REQUESTS = 10  # of each kind in each round
BARS = {"upload of a JPEG of 1.8 MB": 25.0, "@meta.json of a JPEG of 6 MP, cold": 8.0}
"""Milliseconds."""

UPLOAD, META = BARS


def main() -> int:
    """Print the table; the number of rows over their bar."""
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(Path(folder))
        many = many_uploads.measure(
            Path(folder) / "many", _large(photographs.photo(Path(folder)).read_bytes(), 2_000_000)
        )
    print("\n| work | CPU, ms | bar |\n| --- | --- | --- |")
    for work, cost in costs.items():
        print(f"| {work} | {cost:.1f} | {BARS[work]:g} |", flush=True)
    title = f"{many_uploads.UPLOADS} uploads of 2 MB, {many_uploads.AT_ONCE} at once"
    print(f"\n| {title} | measured | bar |\n| --- | --- | --- |")
    for row, found in many.items():
        bar = f"{many_uploads.BARS[row]:g}" if row in many_uploads.BARS else "none"
        print(f"| {row} | {found:.2f} | {bar} |", flush=True)
    over = sum(cost > BARS[work] for work, cost in costs.items())
    return over + sum(many[row] > bar for row, bar in many_uploads.BARS.items())


def measure(root: Path) -> dict[str, float]:
    """Milliseconds by kind of work, the median of the rounds."""
    photo, store = photographs.photo(root).read_bytes(), root / "store"
    large = _large(photo)
    store.mkdir()
    options = {"store": {"directory": {"root": str(store)}}}
    costs: dict[str, list[float]] = {work: [] for work in BARS}
    with running_gateway(root / "gateway", options) as gateway:
        for turn in range(ROUNDS + 1):  # the first warms up
            for number in range(REQUESTS):
                (store / f"{turn}-{number}.jpg").write_bytes(_distinct(photo, turn, number))
            uploads = [_distinct(large, turn, number) for number in range(REQUESTS)]
            for work, do in ((UPLOAD, _upload), (META, _ask)):
                before = cpu(tree(gateway.process.pid))
                for number, data in enumerate(uploads):
                    do(gateway, f"{turn}-{number}.jpg", data)
                if turn:
                    costs[work].append((cpu(tree(gateway.process.pid)) - before) * 1000 / REQUESTS)
    return {work: statistics.median(found) for work, found in costs.items()}


def _upload(gateway: Gateway, name: str, data: bytes) -> None:
    gateway.upload(f"uploaded/{name}", data).raise_for_status()


def _ask(gateway: Gateway, name: str, _data: bytes) -> None:
    gateway.api.get(f"/images/{name}/@meta.json").raise_for_status()


def _large(photo: bytes, size: int = SIZE) -> bytes:
    """The photograph, encoded so that it takes about so many bytes."""
    with Image.open(io.BytesIO(photo)) as image:
        pixels = np.asarray(image.convert("RGB"))
    encoded = [images.jpeg(pixels, quality=quality) for quality in range(80, 100)]
    return min(encoded, key=lambda data: abs(len(data) - size))


def _distinct(data: bytes, turn: int, number: int) -> bytes:
    """The same picture in other bytes: a comment (ITU-T T.81, B.2.4.5) behind the first marker."""
    comment = f"{turn:04}{number:04}".encode()
    return data[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + data[2:]


if __name__ == "__main__":
    raise SystemExit(main())
