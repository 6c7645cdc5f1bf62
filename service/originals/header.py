"""Read the header of an original's copy without blocking the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from service.engine.headers.source import TooLaborious
from service.engine.job import Header
from service.engine.recognise import recognise

SMALL = 1 << 20  # bytes of an original whose header is read at once: 20 to 50 microseconds, 1 ms for a GIF's frames
READS_AT_ONCE = 1000  # a millisecond


async def read_header(path: Path, *, at_once: bool) -> Header:
    """The header of the file at `path`, read in a thread. Raises NotAnImage, Undecodable.

    With `at_once` it is read on the event loop if that takes at most READS_AT_ONCE reads: for a small file that was
    written a moment ago, this is quicker than starting a thread.
    """
    if at_once:
        with contextlib.suppress(TooLaborious):
            return recognise(path, reads=READS_AT_ONCE)
    return await asyncio.to_thread(recognise, path)
