"""`keep=provenance`: write source type and credit into a derived image, and nothing else of the metadata.

A manifest of C2PA is never copied: it is signed for the pixels of the original.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from service.engine.colour import kept
from service.engine.formats import functions
from service.engine.job import Job
from service.engine.provenance import iim, statement, xmp

_EMBEDDERS: dict[str, Callable[[bytes, bytes, bytes], bytes]] = functions(lambda row: row.embedder)


def embedder(job: Job) -> Callable[[bytes], bytes] | None:
    """What puts the provenance of the original into the encoded result.

    None where it is not to stay, where there is none, and where the format has no place for it.
    """
    embed = _EMBEDDERS.get(job.format)
    if embed is None or not kept("provenance", job):
        return None
    said = statement.read(Path(job.source), job.header.format)
    if not (said.source_type or said.credit):
        return None
    packet = xmp.written(said.source_type, said.credit)
    iptc = iim.written(said.credit) if said.credit else b""
    return lambda data: embed(data, packet, iptc)
