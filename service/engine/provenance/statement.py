"""What the blocks of an original say of its provenance."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from service.engine.formats import functions
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Undecodable
from service.engine.provenance import iim, manifest
from service.engine.provenance.carriers import Blocks
from service.engine.provenance.manifest import Manifest
from service.engine.provenance.xmp import Packet

_CARRIERS: dict[str, Callable[[Source], Blocks]] = functions(lambda row: row.provenance)
_MOST, _MOST_PACKETS = 16, 2  # blocks of a file that are looked at, and of these packets of XMP


@dataclass(frozen=True, slots=True)
class Provenance:
    """`source_type` is the URI of IPTC's DigitalSourceType: XMP's, or else that of the C2PA manifest. `credit` and
    `creators` are XMP's, or else IPTC's. `manifest` is the active manifest of C2PA, None where there is none."""

    source_type: str | None = None
    credit: str | None = None
    creators: tuple[str, ...] = ()
    manifest: Manifest | None = None


def read(path: Path, word: str) -> Provenance:
    """Return the provenance of an original in the format `word`. Damaged blocks say nothing.

    Raises OSError where the file cannot be read.
    """
    carriers = _CARRIERS.get(word)
    if carriers is None:
        return Provenance()
    found: dict[str, list[bytes]] = {"xmp": [], "iptc": [], "c2pa": []}
    with OpenedFile(path) as file, suppress(Undecodable):
        for block in islice(carriers(file.bound()), _MOST):
            found[block.kind].append(block.content)
    packets = [Packet(content) for content in list(filter(None, found["xmp"]))[:_MOST_PACKETS]]
    credit, creators = iim.read(next(filter(None, found["iptc"]), b""))
    store = next(filter(None, map(manifest.read, found["c2pa"])), None)
    return Provenance(
        next((packet.source_type for packet in packets if packet.source_type), store.source_type if store else None),
        next((packet.credit for packet in packets if packet.credit), credit),
        next((packet.creators for packet in packets if packet.creators), creators),
        store,
    )
