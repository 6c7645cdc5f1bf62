"""What a row of JPEG XL is compared with, since no peer writes it: our own WebP, or libjxl alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from bench import peers
from bench.derive.vips import worker
from bench.peers import Server, Start
from service.engine.environment import environment


@contextlib.contextmanager
def webp(pictures: Path, scratch: Path) -> Iterator[Server]:
    """A gateway of its own, which makes a WebP of its default quality of whatever it is asked for."""
    (folder := scratch / "webp").mkdir()
    with peers.gateway(pictures, folder) as server:
        yield replace(server, name="WebP", path=lambda asked: server.path(replace(asked, format="webp", quality=None)))


def libjxl(pictures: Path, scratch: Path) -> contextlib.AbstractContextManager[Server]:
    """libjxl in a process: reads a JPEG, codes it anew, writes the JPEG XL. The C library's memory is as an engine
    process has it."""
    memory = {name: value for name, value in environment(scratch).items() if name.startswith("MALLOC_")}
    return worker("libjxl", "bench.derive.jxl_worker", pictures, scratch, memory)


RIVALS: Mapping[str, Start] = {"WebP": webp, "libjxl": libjxl}
