"""A gateway that takes uploads straight to its store, on either store, and what waits there to be finished."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from swiftclient.exceptions import ClientException

from tests import images
from tests.gateways import Gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client

CAT = images.jpeg(images.photo(320, 240), exif=images.exif(1))
DOG = images.png(images.flat(80, 60))
SHOP = "https://shop.example.org"
OPTIONS: dict[str, Any] = {
    "intake": {"lifetime": "10m", "quota": "1MiB", "origins": [SHOP]},
    "limits": {"upload": "700KiB"},
}
INCOMING = "incoming"


@dataclass(frozen=True)
class Subject:
    """A gateway and what its store is; `key` signs temporary URLs and ids."""

    gateway: Gateway
    swift: SwiftServer | None
    container: str = ""

    @property
    def api(self) -> httpx.Client:
        return self.gateway.api

    @property
    def key(self) -> str:
        if self.swift is None:
            return (self.gateway.root / "var/derived/@temp-url-key").read_text().strip()
        with contextlib.closing(client(self.swift.url)) as connection:
            return str(connection.head_container(INCOMING)["x-container-meta-temp-url-key"])

    @contextlib.contextmanager
    def other_key(self, key: str) -> Iterator[None]:
        """Another key beside the present one in Swift, in its place in a directory, as another node would set it."""
        if self.swift is None:
            file = self.gateway.root / "var/derived/@temp-url-key"
            former = file.read_text()
            file.write_text(key)
            try:
                yield
            finally:
                file.write_text(former)
            return
        second = "X-Container-Meta-Temp-URL-Key-2"
        with contextlib.closing(client(self.swift.url)) as connection:
            connection.post_container(INCOMING, {second: key})
            try:
                yield
            finally:
                connection.post_container(INCOMING, {second: ""})

    def waiting(self) -> list[str]:
        """The names in the incoming container."""
        if self.swift is None:
            return sorted(path.name for path in (self.gateway.root / "var/incoming").iterdir())
        with contextlib.closing(client(self.swift.url)) as connection:
            return [row["name"] for row in connection.get_container(INCOMING)[1]]

    def is_waiting(self, upload: dict[str, Any]) -> bool:
        """Whether what was sent is still in the incoming container. A listing would lag."""
        name = upload["url"].partition("?")[0].rpartition("/")[2]
        if self.swift is None:
            return Path(self.gateway.root, "var/incoming", name).exists()
        with contextlib.closing(client(self.swift.url)) as connection:
            try:
                connection.head_object(INCOMING, name)
            except ClientException as error:
                return bool(error.http_status != 404)
        return True

    @contextlib.contextmanager
    def quota(self, size: str) -> Iterator[None]:
        """Another quota of the incoming container, for a while."""
        assert self.swift
        with contextlib.closing(client(self.swift.url)) as connection:
            former = connection.head_container(INCOMING)["x-container-meta-quota-bytes"]
            connection.post_container(INCOMING, {"X-Container-Meta-Quota-Bytes": size})
            yield
            connection.post_container(INCOMING, {"X-Container-Meta-Quota-Bytes": former})

    def clear(self) -> None:
        if self.swift is None:
            for name in self.waiting():
                (self.gateway.root / "var/incoming" / name).unlink()
            return
        with contextlib.closing(client(self.swift.url)) as connection:
            for name in self.waiting():
                with contextlib.suppress(ClientException):  # a listing lags
                    connection.delete_object(INCOMING, name)

    def count(self, outcome: str) -> float:
        """How many direct uploads ended so."""
        lines = self.api.get("/metrics").text.splitlines()
        line = next(line for line in lines if f'direct_uploads_total{{outcome="{outcome}"}}' in line)
        return float(line.rpartition(" ")[2])

    def original(self, name: str) -> httpx.Response:
        return self.api.get(f"/images/{name}", params={"original": "true"})
