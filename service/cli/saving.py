"""Write the files of commands: whole or not at all, and never over another file by accident."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def new_file(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file to write to, which is gone where the block raises. With `force` the old file stays until then.

    Raises FileExistsError where there is a file and not `force`. Devices and pipes are written to as they are.
    """
    if target.exists() and not target.is_file():
        with target.open("wb") as device:
            yield device
        return
    written = target.with_name(f".{target.name}.part") if force and target.exists() else target
    with written.open("wb" if force else "xb") as file:
        try:
            yield file
        except BaseException:
            written.unlink(missing_ok=True)
            raise
    if written != target:
        written.replace(target)
