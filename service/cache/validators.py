"""Compute the modification time of a derived file, from which nginx makes its ETag (time and size), equal on all nodes.

It is the original's time, moved back by up to SPREAD seconds: by a hash of everything that the file depends on. Two
results of one name that were made differently then differ in their ETag even where original times (whole
seconds) and sizes agree, and Last-Modified never lies in the future.
"""

from __future__ import annotations

import hashlib

SPREAD = 65536  # seconds, 18 hours


def stamp(original_modified: float, original_etag: str, name: str, engine: str) -> int:
    """Seconds since the epoch. `engine` is the version of all that turns an original into these bytes."""
    digest = hashlib.sha256(f"{original_etag}\n{name}\n{engine}".encode()).digest()
    return abs(int(original_modified) - int.from_bytes(digest[:8], "big") % SPREAD)
