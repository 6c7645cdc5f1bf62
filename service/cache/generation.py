"""Record which engine made the caches on this disk, and find how far a crash of the machine may have damaged them.

`caches.json` names the generation (the software and the configuration that all derived files depend on) and, with the
machine's boot, the last time by which all files were certainly on the disk. No file is synced by itself: a killed
process loses nothing that the kernel has, and after a crash of the machine all that is younger than that time goes.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from gateway.marker import LAYOUT
from service.cache.walk import files

RECORD = "caches.json"
SETTLED = 5.0  # seconds before a sync began; what is older is on the disk when it ends, whatever the clocks' grain
BOOT = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)


class Generation:
    """The record of one cache root; `made_by` stands for all that derived files depend on beside their original."""

    def __init__(self, root: Path, made_by: str, boot: str | None = None) -> None:
        self._root = root
        self._made_by = f"{made_by} {LAYOUT}"
        self._boot = _boot() if boot is None else boot
        self._before = self._read()

    @property
    def changed(self) -> bool:
        """Whether what is in the derived tree is by other software or another configuration, or of unknown origin."""
        return self._before.get("made_by") != self._made_by

    @property
    def is_trusted(self) -> bool:
        """Whether all that is in the derived tree may be served before anything was looked at."""
        return not self.changed and not self._has_crashed

    @property
    def _has_crashed(self) -> bool:
        return self._before.get("boot") not in (None, self._boot) and not self._before.get("clean")

    def distrust(self, *trees: Path) -> int:
        """After a crash of the machine, remove all files that may not have reached the disk; how many."""
        if not self._has_crashed:
            return 0
        since, removed = float(self._before.get("synced", 0)) * 1e9, 0
        for tree in trees:
            for path, status, is_folder in files(str(tree)):
                if not is_folder and status.st_ctime_ns > since:
                    Path(path).unlink(missing_ok=True)
                    removed += 1
        log.warning("the machine crashed: %d files that may not be whole are removed", removed)
        return removed

    def begin(self) -> None:
        """The caches are now of this generation. Where that cannot be written, the next start trusts nothing."""
        try:
            self._write({"synced": 0 if self.changed else self._before.get("synced", 0), "clean": False})
        except OSError as error:
            log.error("the caches' disk fails (%s); the next start begins with empty caches", error.strerror)
            (self._root / RECORD).unlink(missing_ok=True)

    def sync(self, *, clean: bool = False) -> None:
        """Have the kernel write all that it has, and take note of it. `clean`: nothing is written after this. Blocks;
        raises OSError."""
        now = time.time() - SETTLED
        folder = os.open(self._root, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(folder):
                raise OSError(ctypes.get_errno(), "syncfs failed")
        finally:
            os.close(folder)
        self._write({"synced": now, "clean": clean})

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            document = json.loads((self._root / RECORD).read_bytes())
            if isinstance(document, dict):
                return document
        return {}

    def _write(self, more: dict[str, Any]) -> None:
        path, unfinished = self._root / RECORD, self._root / f".{RECORD}"
        with unfinished.open("w") as file:
            json.dump({"made_by": self._made_by, "boot": self._boot, **more}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


def _boot() -> str:
    try:
        return BOOT.read_text().strip()
    except OSError:
        return "unknown"
