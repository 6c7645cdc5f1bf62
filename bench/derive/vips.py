"""Bare libvips in a process: thumbnail and save, with one thread, and nothing cached.

It stands for what a server around libvips can reach at best: no HTTP, no cache, and files that are read where they lie.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import count
from json import dumps
from pathlib import Path
from types import MappingProxyType

from bench.peers import QUALITY, Asked, Server


def vips(pictures: Path, scratch: Path) -> contextlib.AbstractContextManager[Server]:
    """Start the process; it ends with the block."""
    return worker("libvips", "bench.derive.vips_worker", pictures, scratch)


@contextlib.contextmanager
def worker(
    name: str, module: str, pictures: Path, scratch: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """A process with these environment variables that makes an image for each line it reads, named to it as a
    server."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "VIPS_CONCURRENCY": "1", **variables},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    questions, answers, turn, numbers = process.stdin, process.stdout, threading.Lock(), count()

    def path(asked: Asked) -> str:
        quality = asked.quality or QUALITY.get(asked.format)
        made = scratch / f"{name}-{next(numbers)}.{asked.format}"
        return dumps({**asdict(asked), "quality": quality, "image": str(pictures / asked.image), "output": str(made)})

    def fetch(line: str) -> bytes:
        with turn:
            questions.write(line.encode() + b"\n")
            questions.flush()
            made = answers.readline().decode().strip()
            if not made:
                raise RuntimeError(f"{name} failed at {line}")
        data = Path(made).read_bytes()
        Path(made).unlink()
        return data

    with process:
        yield Server(name, process.pid, path, fetch)
        questions.close()
