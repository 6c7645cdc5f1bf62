"""The folders of a directory store, and which of them a start makes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from service.store.directory.urls import UrlSettings

ROOT, DERIVED_ROOT = "store.directory.root", "store.directory.derived"  # the options that name its folders
OUTBOX_ROOT = "store.directory.outbox"
INCOMING = "store.directory.incoming"
MISSING = "{folder} is no folder that exists; make it, or name another"


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """Where the originals lie, where derived images are kept that have been asked to stay, where the caches lie, and,
    where it is needed, the outbox.

    What is missing is made below `home`, or in a folder that is there; the originals' only if they are `new`, which
    says that none of them was ever seen. Else a disk that is not mounted would be taken for a store without images.
    """

    root: Path
    derived: Path
    home: Path | None = None
    new: bool = True
    urls: UrlSettings | None = None
    not_images: frozenset[str] = frozenset()
    outbox: Path | None = None
    incoming: Path | None = None
    incoming_quota: int = 10 * 2**30
    caches: Path | None = None

    def others(self) -> dict[str, Path]:
        """The folders beside that of the originals, by the option that names each."""
        return {DERIVED_ROOT: self.derived} | ({OUTBOX_ROOT: self.outbox} if self.outbox else {})

    def makes_root(self) -> bool:
        """Whether a start makes the originals' directory, where it is missing."""
        return self.new and self.makes(self.root)

    def makes(self, folder: Path) -> bool:
        plain = Path(os.path.normpath(folder))
        return plain.parent.is_dir() or (self.home is not None and plain.is_relative_to(self.home))
