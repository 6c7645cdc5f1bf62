"""Notice a container that is deleted while the gateway runs: Swift answers 404 for each of its objects then, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from swiftclient.exceptions import ClientException

from service.store.errors import Unavailable
from service.store.swift.connections import is_absent

T = TypeVar("T")

PAUSE = 5.0
"""Seconds between two looks at a container that was there."""


class Presence:
    """Whether the container is there; one that is not `needed` may be gone."""

    def __init__(self, container: str, *, needed: bool) -> None:
        self._container = container
        self._needed = needed
        self._seen = float("-inf")

    def of(self, connection: Any, call: Callable[[Any, str], T], name: str) -> T:
        """The result of `call`, which asks for an object. Raises Unavailable with the container's name where that is
        gone. One that was there is asked for at most once in PAUSE seconds."""
        try:
            return call(connection, name)
        except ClientException as error:
            if is_absent(error) and self._needed and time.monotonic() - self._seen >= PAUSE:
                self._look(connection)
            raise

    def _look(self, connection: Any) -> None:
        try:
            connection.head_container(self._container)
        except ClientException as error:
            if is_absent(error):
                raise Unavailable(f"there is no container {self._container!r} any more") from error
            if error.http_status != 403:  # what may not be asked, tells nothing
                raise
        self._seen = time.monotonic()
