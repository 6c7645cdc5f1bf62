"""What a row of JPEG XL is compared with, since no peer writes it: our own WebP, or libjxl alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from queue import Queue

from bench import peers
from bench.derive.vips import worker
from bench.peers import Server, Start
from service.engine.environment import environment


@contextlib.contextmanager
def webp(pictures: Path, scratch: Path) -> Iterator[Server]:
    """A gateway of its own, which makes a WebP of whatever it is asked for, of its default quality unless asked."""
    (folder := scratch / "webp").mkdir()
    with peers.gateway(pictures, folder) as server:
        yield replace(server, name="WebP", path=lambda asked: server.path(replace(asked, format="webp")))


@contextlib.contextmanager
def libjxl(pictures: Path, scratch: Path) -> Iterator[Server]:
    """libjxl in as many processes as the gateway has for images: each reads a JPEG, codes it anew, writes the JPEG XL.

    Two that work at once take 8 % more CPU for each image than one alone, and both take page faults after a pause. The
    C library's memory is as an engine process has it.
    """
    memory = {name: value for name, value in environment(scratch).items() if name.startswith("MALLOC_")}
    with contextlib.ExitStack() as stack:
        first, *others = workers = [
            stack.enter_context(worker("libjxl", "bench.derive.jxl_worker", pictures, scratch, memory))
            for _ in range(peers.PROCESSES)
        ]
        free = Queue[Server]()
        for each in workers:
            free.put(each)

        def fetch(line: str) -> bytes:
            one = free.get()
            try:
                return one.fetch(line)
            finally:
                free.put(one)

        yield replace(first, fetch=fetch, others=tuple(each.pid for each in others))


RIVALS: Mapping[str, Start] = {"WebP": webp, "libjxl": libjxl}
