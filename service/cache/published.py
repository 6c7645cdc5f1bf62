"""A published derived image: its file and its validators."""

from __future__ import annotations

import builtins
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from service.cache.recency import is_referenced


@dataclass(frozen=True, slots=True)
class Published:
    """A complete derived file: `bytes` long, `modified` in whole seconds since the epoch; both make its ETag.

    `relative` is its path below the tree, None for one that no disk took: then `data` is all there is of it.
    `referenced` tells that the janitor knows already that it is in use, `ends` when the store deletes its original, in
    seconds since the epoch.
    """

    path: Path
    relative: str | None
    bytes: int
    modified: int
    data: builtins.bytes | None = None
    referenced: bool = True
    ends: int | None = None

    @property
    def etag(self) -> str:
        """The strong validator, as nginx makes it of a file: modification time and size, in hexadecimal."""
        return f"{self.modified:x}-{self.bytes:x}"

    def open(self) -> BinaryIO:
        """The bytes that belong to these validators, whatever becomes of the name afterwards.

        Raises FileNotFoundError when the file was evicted or replaced since: then it is to be asked for again.
        """
        if self.data is not None:
            return io.BytesIO(self.data)
        file = self.path.open("rb")
        status = os.fstat(file.fileno())
        if (status.st_size, int(status.st_mtime)) != (self.bytes, self.modified):
            file.close()
            raise FileNotFoundError(f"{self.relative} is another file by now")
        return file


def look(root: Path, relative: str, ends: int | None = None) -> Published | None:
    """The file at a path below the root of the tree, whose original `ends` then; None where it is not there."""
    try:
        status = os.stat(f"{root}/{relative}")  # noqa: PTH116  # half the time of Path's
    except OSError:
        return None
    referenced = is_referenced(status)
    return Published(root / relative, relative, status.st_size, int(status.st_mtime), referenced=referenced, ends=ends)
