"""Receive an upload into a temporary file, and count and hash its bytes meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from service.engine.job import TooLarge

CHUNK = 1 << 17  # bytes; larger blocks are mapped anew: 2 MB are hashed in 0.9 ms in place of 1.4


@dataclass(slots=True)
class Incoming:
    """An upload under way: feed it with `write`, then `Uploads.store` it."""

    path: Path
    limit: int
    file: BinaryIO
    size: int = 0
    _known: dict[str, str] = field(default_factory=dict)
    _hashes: dict[str, hashlib._Hash] = field(default_factory=dict)

    def write(self, *chunks: bytes) -> None:
        """Take the next bytes. Raises TooLarge beyond the limit, OSError where the disk fails."""
        for chunk in chunks:
            self._take(chunk)
            self.file.write(chunk)

    async def measure(self, **known: str) -> None:
        """Take the bytes that the file has already, written by others. `known` are digests of theirs in hex, by
        algorithm; with all of them the file is not read. Raises TooLarge, OSError."""
        self._known = {algorithm: digest for algorithm, digest in known.items() if digest}
        for algorithm in self._known:
            self._hashes.pop(algorithm, None)
        if not self._hashes:
            self._count(self.path.stat().st_size)
            return
        await asyncio.to_thread(self._read)

    def _read(self) -> None:
        with self.path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        self._count(len(chunk))
        for one in self._hashes.values():
            one.update(chunk)

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > self.limit:
            raise TooLarge(f"the upload is larger than {self.limit} bytes")

    def also_hash(self, algorithms: Iterable[str]) -> None:
        """Compute these digests too, beside MD5 and SHA-256. Called before the first byte."""
        for algorithm in algorithms:
            self._hashes.setdefault(algorithm, hashlib.new(algorithm, usedforsecurity=False))

    def digest(self, algorithm: str) -> bytes:
        return self._hashes[algorithm].digest()

    @property
    def md5(self) -> str:
        return self._known.get("md5") or self.digest("md5").hex()

    @property
    def sha256(self) -> str:
        return self._known.get("sha256") or self.digest("sha256").hex()
