"""Hold small images in the service's memory, for clients of the API, which nginx does not serve.

An entry is used only while the file on disk has the validators that it was read with, and is dropped when its image is
forgotten. So memory holds nothing that is no longer on disk.
"""

from __future__ import annotations

import contextlib
import io
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

from gateway.names import Name
from service.cache.published import Published
from service.cache.recency import touch
from service.store.base import StoredObject

ORIGINAL = "@original"  # in place of a leaf, and none that a derived image could have
LARGEST = 256 * 1024  # bytes of one image; what is larger costs more to send than to read
OVERHEAD = 512  # bytes that Python takes for an entry beside the image and its names

Key = tuple[str, str]


class Memory:
    """The images that were asked for last, by image and leaf, within `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0
        self._entries: OrderedDict[Key, tuple[str, bytes]] = OrderedDict()
        self._leaves: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def open(self, name: Name, file: Published) -> tuple[BinaryIO, bool]:
        """The bytes of a file, and whether they were remembered; they are from now on, if they are small.

        Raises FileNotFoundError as `Published.open` does.
        """
        key = (name.image, name.leaf)
        if not file.referenced:  # memory reads no file, and some mounts record no access times
            with contextlib.suppress(OSError):
                touch(file.path)
        data = self.get(key, file.etag)
        if data is not None:
            return io.BytesIO(data), True
        body = file.open()
        if file.relative is None or file.bytes > LARGEST:
            return body, False
        with body:
            data = body.read()
        self.put(key, file.etag, data)
        return io.BytesIO(data), False

    def open_original(self, stored: StoredObject, path: Path) -> tuple[BinaryIO, bool]:
        """The bytes of an original from its copy on disk, and whether they were remembered, in the same way.

        Raises OSError.
        """
        key = (stored.name, ORIGINAL)
        data = self.get(key, stored.etag)
        if data is not None:
            return io.BytesIO(data), True
        body = path.open("rb")
        if stored.bytes > LARGEST:
            return body, False
        with body:
            data = body.read()
        self.put(key, stored.etag, data)
        return io.BytesIO(data), False

    def get(self, key: Key, etag: str) -> bytes | None:
        """The bytes of the image whose validator is `etag`."""
        entry = self._entries.get(key)
        if entry is None or entry[0] != etag:
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: Key, etag: str, data: bytes) -> None:
        """Keep these bytes, if they are small; what was not asked for the longest goes."""
        self._drop(key)
        if len(data) > LARGEST:
            return
        self._entries[key] = (etag, data)
        self._leaves.setdefault(key[0], set()).add(key[1])
        self.bytes += _cost(key, data)
        while self.bytes > self.limit:
            self._drop(next(iter(self._entries)))

    def forget(self, image: str) -> None:
        """Drop everything of an image."""
        for leaf in list(self._leaves.get(image, ())):
            self._drop((image, leaf))

    def clear(self) -> None:
        self._entries.clear()
        self._leaves.clear()
        self.bytes = 0

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= _cost(key, entry[1])
        leaves = self._leaves[key[0]]
        leaves.discard(key[1])
        if not leaves:
            del self._leaves[key[0]]


def _cost(key: Key, data: bytes) -> int:
    return len(data) + len(key[0]) + len(key[1]) + OVERHEAD
