"""The marker of an image, `@base`, in the folder of what was derived of it: `BASE SOURCE ETAG WIDTH HEIGHT FRAMES`, and
below it a time.

The first line tells nginx what `auto` and `source` mean for this image; all of it tells everybody of which original
the files of the image were made. Its modification time is a fingerprint of that original, so that one `stat` tells
whether it is the current one.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from gateway.holding import Shape
from service.store.base import StoredObject

MARKER = "@base"
LAYOUT = 2  # goes up with every change to what is in a marker: those of before are then made anew, with all beside them


@dataclass(frozen=True, slots=True)
class Marker:
    """What is known of an original: the format of `auto`'s third bucket, the format of `source`, the ETag, the second
    since the epoch when it was stored, from which the validators of derived images are made, and its shape."""

    base: str
    source: str
    etag: str
    modified: int
    shape: Shape

    def matches(self, stored: StoredObject | None) -> bool:
        """Whether this is the original that the store holds."""
        return stored is not None and (self.etag, self.modified) == (stored.etag, int(stored.modified))


def fingerprint(etag: str, modified: float) -> int:
    """A time in nanoseconds since the epoch, before 2038: what every file system in use can hold as it is."""
    digest = hashlib.sha256(f"{etag}\n{int(modified)}".encode()).digest()
    seconds, nanoseconds = int.from_bytes(digest[:4], "big") >> 1, int.from_bytes(digest[4:8], "big") % 10**9
    return seconds * 10**9 + nanoseconds


def write_marker(path: Path, marker: Marker) -> None:
    """Write a marker to a file that nobody sees yet. Raises OSError."""
    shape = f"{marker.shape.width} {marker.shape.height} {marker.shape.frames}"
    path.write_text(f"{marker.base} {marker.source} {marker.etag} {shape}\n{marker.modified}\n", "utf-8")
    path.chmod(0o644)
    os.utime(path, ns=(0, fingerprint(marker.etag, marker.modified)))


def read_marker(path: Path) -> Marker | None:
    """What a marker says, None where there is none that can be understood."""
    try:
        base, source, etag, width, height, frames, modified = path.read_text("utf-8").split()
        return Marker(base, source, etag, int(modified), Shape(int(width), int(height), int(frames)))
    except (OSError, ValueError):
        return None
