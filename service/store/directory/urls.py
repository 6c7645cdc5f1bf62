"""Temporary URLs to the objects of a directory store. nginx answers them, by the rules of `gateway.temp_urls`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gateway.temp_urls import path_of, sign
from service.store.base import TemporaryUrl
from service.store.directory.key import key_of


@dataclass(frozen=True, slots=True)
class UrlSettings:
    """`base` is what clients call the public port; without `keys` one is made, in the first of `folders` that takes
    it. Lifetimes in seconds."""

    base: str
    folders: Sequence[Path]
    keys: Sequence[str] = ()
    digest: str = "sha256"
    lifetime: float = 3600.0
    max_lifetime: float = 7 * 86400.0


class UrlSigner:
    """Signs URLs to the objects of one container, `originals` or `derived`."""

    def __init__(self, settings: UrlSettings, container: str) -> None:
        self._settings = settings
        self._container = container

    def url(self, name: str, *, lifetime: float, filename: str | None, inline: bool) -> TemporaryUrl:
        """The URL of an object that is there. Raises NoTemporaryUrls where no key can be kept."""
        settings = self._settings
        key = settings.keys[0] if settings.keys else key_of(settings.folders)
        expires = int(time.time() + min(lifetime, settings.max_lifetime))
        path = path_of(self._container, name)
        signature = sign("GET", expires, path, key, settings.digest)
        url = f"{settings.base}{quote(path)}?temp_url_sig={signature}&temp_url_expires={expires}"
        if filename is not None:
            url += f"&filename={quote(filename, safe='')}"
        return TemporaryUrl(f"{url}&inline" if inline else url, expires)
