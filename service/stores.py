"""From the configuration to the store it names."""

from __future__ import annotations

from gateway.settings import Config
from service.store.base import Store
from service.store.directory import DirectorySettings, DirectoryStore


def open_store(config: Config) -> Store:
    """The configured store, not started yet."""
    base, options = config.base.absolute(), config.store.directory
    return DirectoryStore(DirectorySettings(root=base / options.root, derived=base / options.derived))
