"""Inspect the folders of a directory store before its start, without changing them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from service.store.base import Observation
from service.store.directory.key import KEY_FILE
from service.store.directory.settings import MISSING, ROOT, DirectorySettings
from service.store.directory.urls import UrlSettings

KEY = "store.directory.temp_url.key"


def observations(settings: DirectorySettings) -> Iterator[Observation]:
    """Of its folders, and of the key of its temporary URLs."""
    yield from _of_folders(settings)
    if settings.urls is not None and not settings.urls.keys:
        yield from _of_key(settings.urls)


def _of_folders(settings: DirectorySettings) -> Iterator[Observation]:
    for option, folder, made in (
        (ROOT, settings.root, settings.makes_root()),
        *((option, folder, settings.makes(folder)) for option, folder in settings.others().items()),
    ):
        if not os.path.lexists(folder) and made:
            yield Observation(option, f"{folder} does not exist yet; a start makes it, with nothing in it", wrong=False)
        elif not folder.is_dir():
            yield Observation(option, MISSING.format(folder=folder))


def _of_key(settings: UrlSettings) -> Iterator[Observation]:
    for file in (folder / KEY_FILE for folder in settings.folders):
        try:
            status = file.lstat()
        except OSError:
            continue
        if status.st_mode & 0o077:
            text = f"others than its owner may use {file}: chmod 600, or remove it to have a new one made"
            yield Observation(KEY, text)
        if os.access(file, os.R_OK):
            return
        yield Observation(KEY, f"uid {os.geteuid()} cannot read {file}: remove it, give it to this user, or set a key")
    derived = settings.folders[0]
    if derived.is_dir() and not os.access(derived, os.W_OK):
        text = f"{derived} takes no key, so it is kept in runtime.root: other nodes refuse the URLs of this one"
        yield Observation(KEY, text, wrong=False)
