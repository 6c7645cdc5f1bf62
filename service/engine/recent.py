"""Hold the last decoded original, because a page asks for several sizes of one picture in a burst, and a viewer for
hundreds of its tiles.

The pixels equal those of decoding again, so results do not depend on what is held.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from service.engine.memory import has_room
from service.engine.picture import Details, Frame

MOST = 16 << 20
"""Bytes of pixels that are worth keeping in every engine process: a photograph of six megapixels at the smaller scales
that most of its widths are made from."""

MOST_FOR_TILES = 256 << 20
"""Bytes, where parts of an original are cut out: 64 megapixels in colour, more as luma and chroma. The next job that
cuts nothing out lets go of them, and so does the next original."""

ROOM = 3
"""Times as much memory as is held for tiles must be left to the process, for the work itself."""

Decoded = tuple[list[Frame], Details]

_held: dict[tuple[Hashable, Hashable], Decoded] = {}  # by original, always the same, and way; the last used at the end


def recalled(path: Path, how: Hashable, read: Callable[[], Decoded], *, tile: bool = False) -> Decoded:
    """What `read` makes of the file at `path`, from memory if it was read in the same way since another file was; more
    of it is held for a `tile`.

    A file is the same as long as its inode, size and time of change are.
    """
    status = path.stat()
    original = (str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if any(other != original for other, _ in _held):
        _held.clear()  # first, so that two originals are never held at once
    _let_go(MOST_FOR_TILES // 2 if tile else MOST)
    made = _held.pop((original, how), None) or read()
    size = _bytes(made)
    if size > MOST and not (tile and size <= MOST_FOR_TILES and has_room(ROOM * size)):
        return made
    _let_go(max(0, (MOST_FOR_TILES if tile else MOST) - size))
    _held[original, how] = made
    frames, details = made
    return [frame.copy() for frame in frames], replace(details)


def forget() -> None:
    """Let go of all that is held."""
    _held.clear()


def _let_go(most: int) -> None:
    """Drop what was not used for longest, until no more than `most` bytes are held."""
    while sum(map(_bytes, _held.values())) > most:
        del _held[next(iter(_held))]


def _bytes(decoded: Decoded) -> int:
    return sum(frame.bytes for frame in decoded[0])
