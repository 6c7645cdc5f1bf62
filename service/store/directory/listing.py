"""List a directory tree in the byte order of the names, with one directory at a time in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Container, Generator, Iterator
from pathlib import Path

from gateway.names import LONGEST_IMAGE_NAME
from service.store.base import Page, StoredObject
from service.store.content import is_image
from service.store.directory.files import describe, directory, is_absent, regular_file, segments
from service.store.naming import is_image_name


def list_directory(
    root: Path,
    prefix: str,
    delimiter: str,
    marker: str,
    limit: int,
    *,
    derived: bool,
    typed: bool,
    not_images: Container[str],
) -> Page:
    """One page, as `Container.list` and `DirectoryContainer` describe it. Raises Unavailable when the root is gone."""
    walk = _Walk(root, prefix.encode(), marker.encode(), derived=derived)
    objects: list[StoredObject] = []
    folders: list[str] = []
    last = ""
    with contextlib.closing(walk.names()) as names:
        for name, parent, leaf in names:
            folder = _folder(name, prefix, delimiter)
            if folder is not None:
                walk.skip = folder.encode()
            if folder == marker:
                continue
            found = _describe(parent, leaf, name, typed, not_images) if folder is None else None
            if folder is None and found is None:
                continue
            if len(objects) + len(folders) >= limit:
                return Page(objects, folders, last)
            if found is not None:
                objects.append(found)
            else:
                folders.append(folder or "")
            last = folder or name
    return Page(objects, folders, None)


def _describe(parent: int, leaf: bytes, name: str, typed: bool, not_images: Container[str]) -> StoredObject | None:
    try:
        with regular_file(parent, leaf) as file:
            if _is_passed_over(name, not_images) and not is_image(file):
                return None
            return dataclasses.replace(describe(file, name, typed=typed), metadata={})
    except OSError as error:
        if is_absent(error):  # removed meanwhile, or not ours to read
            return None
        raise


def _is_passed_over(name: str, not_images: Container[str]) -> bool:
    """Whether a file is listed only if its content is an image: by its extension, or as what macOS keeps beside the
    file of the same name without `._` on file systems that are not its own (AppleDouble)."""
    return bool(not_images) and (_extension(name) in not_images or name.rpartition("/")[2].startswith("._"))


def _extension(name: str) -> str:
    """What follows the last dot, in small letters: `db` of `Thumbs.db`, `ds_store` of `.DS_Store`."""
    return name.rpartition("/")[2].rpartition(".")[2].lower()


def _folder(name: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter:
        return None
    end = name.find(delimiter, len(prefix))
    return None if end < 0 else name[: end + len(delimiter)]


class _Walk:
    """The names after `marker` that begin with `prefix`. Names that begin with `skip`, set meanwhile, are left out."""

    def __init__(self, root: Path, prefix: bytes, marker: bytes, *, derived: bool) -> None:
        self._root = root
        self._prefix = prefix
        self._marker = marker
        self._derived = derived
        self.skip: bytes | None = None

    def names(self) -> Generator[tuple[str, int, bytes], None, None]:
        """Each name with the open directory of its file and the file's name there."""
        base = self._prefix[: self._prefix.rfind(b"/") + 1]
        parts = segments(base[:-1].decode()) if base else []
        if parts is None:
            return
        try:
            with directory(self._root, parts) as descriptor:
                yield from self._below(descriptor, base)
        except OSError as error:
            if not is_absent(error):
                raise

    def _below(self, descriptor: int, base: bytes) -> Generator[tuple[str, int, bytes], None, None]:
        # A directory sorts as its name with the slash that all names in it have: `a.jpg` comes before `a/b`.
        for key in sorted(self._entries(descriptor, base)):
            path = base + key
            if self.skip and path.startswith(self.skip):
                if base.startswith(self.skip):
                    return
                continue
            if not self._is_name(path):
                continue
            if not key.endswith(b"/"):
                yield path.decode(), descriptor, key
                continue
            # A directory that went meanwhile or may not be read (`lost+found`) holds nothing for us.
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                inner = os.open(key[:-1], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
                try:
                    yield from self._below(inner, path)
                finally:
                    os.close(inner)

    def _entries(self, descriptor: int, base: bytes) -> Iterator[bytes]:
        """What is left of a directory. Every page looks through all of it, so what comes before the marker is passed
        over first, and the names of files are checked when it is their turn."""
        marker = self._marker
        with os.scandir(descriptor) as entries:
            for entry in entries:
                leaf = os.fsencode(entry.name)
                path = base + leaf
                if path < marker and not marker.startswith(path):
                    continue
                is_directory = entry.is_dir(follow_symlinks=False)
                if not is_directory and not entry.is_file(follow_symlinks=False):
                    continue
                if leaf.startswith(b"@") and not (self._derived and base):
                    continue
                key = leaf + b"/" if is_directory else leaf
                if self._is_wanted(base + key, is_directory):
                    yield key

    def _is_name(self, path: bytes) -> bool:
        """Whether this can be a name, or what one begins with: the tree may hold what was never stored through us."""
        if path.endswith(b"/"):
            return len(path) <= LONGEST_IMAGE_NAME
        return self._derived or is_image_name(path)

    def _is_wanted(self, path: bytes, is_directory: bool) -> bool:
        if not path.startswith(self._prefix) and not (is_directory and self._prefix.startswith(path)):
            return False
        return path > self._marker or (is_directory and self._marker.startswith(path))
