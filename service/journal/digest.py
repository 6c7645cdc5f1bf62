"""The digest: an object in which one node tells all others what it has read of the journal.

It is compressed text: a line of JSON with what it covers, and then a line for the name of each object of the journal.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from dataclasses import dataclass

LEVEL = 1  # of the compression: the digests and random digits in the names are most of it, and do not get smaller
MOST = 32 * 2**20  # bytes of the text; a larger one is not read


@dataclass(frozen=True, slots=True)
class Digest:
    """The objects that its writer first saw in the reads that began after `since`, up to the one that began at `read`.

    `tenure` are digits of hex that no other writer has, nor the same one later. Up to the times `again` the writer has
    read the journal for the second and for the third time. All times are the store's, in seconds since the epoch.
    """

    tenure: str
    since: float
    read: float
    again: tuple[float, float]
    names: tuple[str, ...] = ()


def packed(digest: Digest) -> bytes:
    """The object of a digest."""
    covers = {"tenure": digest.tenure, "since": digest.since, "read": digest.read, "again": digest.again}
    return gzip.compress("\n".join([json.dumps(covers), *digest.names]).encode(), LEVEL, mtime=0)


def unpacked(data: bytes) -> Digest | None:
    """The digest in an object; None where it is none."""
    unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = unzip.decompress(data, MOST)
        if not unzip.eof:
            return None
        first, *names = text.decode().split("\n")
        covers = json.loads(first)
        since, read, second, third = map(float, (covers["since"], covers["read"], *covers["again"]))
        if not all(map(math.isfinite, (since, read, second, third))):
            return None
        return Digest(str(covers["tenure"]), since, read, (second, third), tuple(names))
    except (zlib.error, ValueError, KeyError, TypeError):
        return None
