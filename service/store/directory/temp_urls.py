"""Temporary URLs of the directory store, from the configuration: for the store, which signs them, and for nginx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.settings import Config
from gateway.temp_urls import DERIVED, ORIGINALS
from service.runtime.paths import paths_of
from service.store.directory.key import KEY_FILE
from service.store.directory.urls import UrlSettings


def url_settings(config: Config) -> UrlSettings:
    """How the directory store signs. Its own key lies beside the derived images, which the nodes may share; else in
    the runtime folder."""
    options = config.store.directory
    keys = (key.get_secret_value() for key in (options.temp_url.key, options.temp_url.key_2) if key)
    return UrlSettings(
        base=config.public.base_url,
        folders=(config.base.absolute() / options.derived, paths_of(config).runtime),
        keys=tuple(filter(None, keys)),
        digest=options.temp_url.digest,
        lifetime=options.temp_url.lifetime,
        max_lifetime=options.temp_url.max_lifetime,
    )


def front_rules(config: Config) -> Mapping[str, Any] | None:
    """What nginx's Lua needs to answer temporary URLs; None where the store answers its own. It holds the keys."""
    if config.store.kind != "directory":
        return None
    base, options, settings = config.base.absolute(), config.store.directory, url_settings(config)
    return {
        "keys": list(settings.keys),
        "key_files": [str(folder / KEY_FILE) for folder in settings.folders],
        "roots": {ORIGINALS: str(base / options.root), DERIVED: str(base / options.derived)},
    }
