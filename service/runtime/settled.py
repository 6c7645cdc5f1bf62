"""Tell the supervisor that nginx may serve what is on the disk.

What other nodes have changed is forgotten then, or the store did not answer in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from service.runtime.naming import named

PATIENCE = 2.0  # seconds that the store has, in all


class Settled:
    """Writes this process's id to a file, once. `left` are the seconds that the store still has."""

    def __init__(self, path: Path) -> None:
        self.left = PATIENCE
        self._path = path
        self._is_told = False

    def tell(self) -> None:
        """nginx may serve. Raises OSError."""
        if not self._is_told:
            self._is_told = True
            with named(self._path):
                self._path.write_text(f"{os.getpid()}\n")

    @contextlib.asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """The store is asked in this context. It is told when that takes longer than is left."""
        began = time.monotonic()
        timer = asyncio.get_running_loop().call_later(max(0.0, self.left), self.tell)
        try:
            yield
        finally:
            timer.cancel()
            self.left -= time.monotonic() - began
