"""Reading and writing the files that lie beside derived images: the marker `@base` and the notes `@smaller`.

gateway/marker.py describes their text. The marker's modification time is a fingerprint of the original, so that one
`stat` says whether it is the current one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from gateway.marker import Marker, parse_marker, parse_smaller, print_marker, print_smaller

MOST = 64 * 1024
"""Bytes that are read of either file, which have a few hundred."""


def fingerprint(etag: str, modified: float) -> int:
    """A time in nanoseconds since the epoch, before 2038: what every file system in use can hold as it is."""
    digest = hashlib.sha256(f"{etag}\n{int(modified)}".encode()).digest()
    seconds, nanoseconds = int.from_bytes(digest[:4], "big") >> 1, int.from_bytes(digest[4:8], "big") % 10**9
    return seconds * 10**9 + nanoseconds


def write_marker(path: Path, marker: Marker) -> None:
    """Write a marker to a file that has no name in the tree yet. Raises OSError."""
    _write(path, print_marker(marker))
    os.utime(path, ns=(0, fingerprint(marker.etag, marker.modified)))


def read_marker(path: Path | str) -> Marker | None:
    """Return what a marker says, None if there is none that can be understood."""
    text = _read(path)
    return None if text is None else parse_marker(text)


def write_smaller(path: Path, noted: Mapping[str, str]) -> None:
    """Write the notes to a file that has no name in the tree yet. Raises OSError."""
    _write(path, print_smaller(noted))


def read_smaller(path: Path) -> dict[str, str]:
    """Return the notes; empty if there are none, or none that can be understood."""
    return parse_smaller(_read(path) or "")


def _write(path: Path, text: str) -> None:
    with open(path, "wb") as file:  # noqa: PTH123  # half the time of Path's write_text and chmod
        os.fchmod(file.fileno(), 0o644)
        file.write(text.encode())


def _read(path: Path | str) -> str | None:
    """The text as nginx reads it: line feeds as they are, and bytes that are not UTF-8 as surrogates."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # three times in a miss, in half the time of open's
    except OSError:
        return None
    try:
        return os.read(file, MOST).decode("utf-8", "surrogateescape")
    except OSError:
        return None
    finally:
        os.close(file)
