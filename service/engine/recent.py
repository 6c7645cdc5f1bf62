"""The last original that was decoded, for the burst in which a page asks for several sizes of one picture.

What is found here is what decoding again would give, so it saves work and never changes a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from service.engine.picture import Details, Frame

MOST = 32 << 20
"""Bytes of pixels that are worth keeping in every engine process: a photograph of eight megapixels."""

Decoded = tuple[list[Frame], Details]

_held: dict[Hashable, Decoded] = {}


def recalled(path: Path, how: Hashable, read: Callable[[], Decoded]) -> Decoded:
    """What `read` makes of the file at `path`, from memory if it was the last one read in the same way.

    A file is the same as long as its inode, size and time of change are.
    """
    status = path.stat()
    key = (str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, how)
    if key not in _held:
        _held.clear()  # first, so that two originals are never held at once
        made = read()
        if sum(frame.bytes for frame in made[0]) > MOST:
            return made
        _held[key] = made
    frames, details = _held[key]
    return [frame.copy() for frame in frames], replace(details)
