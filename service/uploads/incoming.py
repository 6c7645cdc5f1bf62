"""Receive an upload into a temporary file, and count and hash its bytes meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from service.engine.job import TooLarge

CHUNK = 1 << 20


@dataclass(slots=True)
class Incoming:
    """An upload under way: feed it with `write`, then `Uploads.store` it."""

    path: Path
    limit: int
    file: BinaryIO
    size: int = 0
    _md5: str = ""
    _hashes: dict[str, hashlib._Hash] = field(default_factory=dict)

    def write(self, *chunks: bytes) -> None:
        """Take the next bytes. Raises TooLarge beyond the limit, OSError where the disk fails."""
        for chunk in chunks:
            self._take(chunk)
            self.file.write(chunk)

    def measure(self, md5: str = "") -> None:
        """Take the bytes that the file has already, written by others; `md5`, in hex, is theirs, where it is known.
        Raises TooLarge, OSError."""
        if md5:
            self._md5 = md5
            del self._hashes["md5"]
        with self.path.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.limit:
            raise TooLarge(f"the upload is larger than {self.limit} bytes")
        for one in self._hashes.values():
            one.update(chunk)

    def also_hash(self, algorithms: Iterable[str]) -> None:
        """Compute these digests too, beside MD5 and SHA-256. Called before the first byte."""
        for algorithm in algorithms:
            self._hashes.setdefault(algorithm, hashlib.new(algorithm, usedforsecurity=False))

    def digest(self, algorithm: str) -> bytes:
        return self._hashes[algorithm].digest()

    @property
    def md5(self) -> str:
        return self._md5 or self.digest("md5").hex()

    @property
    def sha256(self) -> str:
        return self.digest("sha256").hex()
