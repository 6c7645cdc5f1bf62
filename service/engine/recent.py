"""Hold the last decoded original, because a page asks for several sizes of one picture in a burst.

The pixels equal those of decoding again, so results do not depend on what is held.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from service.engine.picture import Details, Frame

MOST = 16 << 20
"""Bytes of pixels that are worth keeping in every engine process: a photograph of six megapixels at the smaller scales
that most of its widths are made from."""

Decoded = tuple[list[Frame], Details]

_held: dict[tuple[Hashable, Hashable], Decoded] = {}  # by original, always the same, and way; the last used at the end


def recalled(path: Path, how: Hashable, read: Callable[[], Decoded]) -> Decoded:
    """What `read` makes of the file at `path`, from memory if it was read in the same way since another file was.

    A file is the same as long as its inode, size and time of change are.
    """
    status = path.stat()
    original = (str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if any(other != original for other, _ in _held):
        _held.clear()  # first, so that two originals are never held at once
    made = _held.pop((original, how), None) or read()
    if _bytes(made) > MOST:
        return made
    _held[original, how] = made
    while sum(map(_bytes, _held.values())) > MOST:
        del _held[next(iter(_held))]
    frames, details = made
    return [frame.copy() for frame in frames], replace(details)


def _bytes(decoded: Decoded) -> int:
    return sum(frame.bytes for frame in decoded[0])
