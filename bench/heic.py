"""What a HEIC costs: CPU of an engine process for one of 12 megapixels, as a telephone writes it, to JPEG 640.

It is coded in tiles of 512 pixels by pillow-heif, which takes half a minute. CPU is that of all threads; the least of
several runs counts. `bench/run heic` exits with 1 where it is over the bar.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pillow_heif
from PIL import Image

from bench import photographs
from service.engine import pipeline
from service.engine.environment import environment
from service.engine.job import Job, Limits
from service.engine.recent import _held
from service.engine.recognise import recognise

SIZE = 4032, 3024
BAR = 0.8
"""Seconds."""

RUNS = 4


def main() -> int:
    """Print the table, from a process with the environment of the engine's."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, **environment(Path(folder))}
        return subprocess.run([sys.executable, "-m", "bench.heic", folder], env=environ, check=False).returncode


def measure(scratch: Path) -> int:
    source = scratch / "photo.heic"
    with Image.open(photographs.photo(scratch)) as photo:
        large = photo.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    pillow_heif.from_pillow(large).save(source, quality=60, tile_size=512)
    cost = min(_cost(source) for _ in range(RUNS))
    print("| work | CPU, s | bar |\n| --- | --- | --- |")
    print(f"| HEIC 12 MP to JPEG 640 | {cost:.2f} | {BAR} |", flush=True)
    return int(cost > BAR)


def _cost(source: Path) -> float:
    limits = Limits(10**8, 100, 10000, 10000)
    job = Job("derive", str(source), recognise(source), limits, {"w": "640"}, "jpg", f"{source}.jpg")
    _held.clear()
    began = time.process_time()
    pipeline.derive(job)
    return time.process_time() - began


if __name__ == "__main__":
    raise SystemExit(measure(Path(sys.argv[1])))
