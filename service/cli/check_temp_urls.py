"""What `image-gateway check` finds of the key of temporary URLs on a directory store."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gateway.settings import Config
from service.store.directory.key import KEY_FILE
from service.store.directory.temp_urls import url_settings

OPTION = "store.directory.temp_url.key"


def key_findings(config: Config) -> Iterator[tuple[str, str, bool]]:
    """Where, what and whether it is wrong; nothing is made or changed."""
    settings = url_settings(config)
    if config.store.kind != "directory" or settings.keys:
        return
    for file in (folder / KEY_FILE for folder in settings.folders):
        try:
            status = file.lstat()
        except OSError:
            continue
        if status.st_mode & 0o077:
            yield OPTION, f"others than its owner may use {file}: chmod 600, or remove it to have a new one made", True
        if os.access(file, os.R_OK):
            return
        yield OPTION, f"uid {os.geteuid()} cannot read {file}: remove it, give it to this user, or set a key", True
    derived = settings.folders[0]
    if derived.is_dir() and not os.access(derived, os.W_OK):
        text = f"{derived} takes no key, so it is kept in runtime.root: other nodes refuse the URLs of this one"
        yield OPTION, text, False
