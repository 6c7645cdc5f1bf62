"""Notes of changes that have no entry in the journal yet, a file each.

A note that is done with leaves its file for the next one: making a file is dear on a file system that passes over those
which were deleted lately, as ext4 without a journal does. A note bears the name of its file: where a machine crashed,
the disk may have the new name without the new text, and what stands there is of an earlier change.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from pathlib import Path

from gateway.journal import Entry, Kind

MOST_SPARE = 64  # files that wait for their next note; more are removed
NOTE, SPARE = ".json", ".spare"

log = logging.getLogger(__name__)


class Notes:
    """The notes in a folder. Names of their files are new for each note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spare = list(folder.glob(f"*{SPARE}"))

    def of_former_processes(self) -> list[Path]:
        """Those that are there. Called before the first change."""
        return sorted(self._folder.glob(f"*{NOTE}"))

    def make(self, kind: Kind, name: str) -> Path | None:
        """Note a change; None where the disk takes no note."""
        note = self._folder / f"{secrets.token_hex(8)}{NOTE}"
        text = json.dumps({"note": note.stem, "kind": kind, "name": name}).encode()
        try:
            file = self._spare.pop() if self._spare else note
            _write_over(file, text)
            file.rename(note)
        except OSError as error:
            log.warning("a change of %r is not noted; if this process is killed, others learn late: %s", name, error)
            return None
        return note

    def remove(self, note: Path | None) -> None:
        """The change has its entry, or needs none."""
        if note is None:
            return
        with contextlib.suppress(OSError):
            if len(self._spare) >= MOST_SPARE:
                note.unlink(missing_ok=True)
                return
            spare = note.with_suffix(SPARE)
            note.rename(spare)
            self._spare.append(spare)


def _write_over(path: Path, text: bytes) -> None:
    """Write a text, with spaces up to where the file ends: ext4 writes a truncated file to the disk at once."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "wb", buffering=0) as file:
        file.write(text.ljust(os.fstat(file.fileno()).st_size))


def noted(note: Path) -> Entry:
    """What a note says. One that cannot be read, or is of an earlier change, since a machine crashed, may be of any
    image."""
    try:
        document = json.loads(note.read_text("utf-8"))
        if document["note"] != note.stem:
            raise ValueError("this text is of an earlier note")
        return Entry(document["kind"], document["name"], is_known=False)
    except (OSError, ValueError, KeyError, TypeError):
        return Entry("purge-all", "", is_known=False)
