"""Containers that keep former versions of their objects, and what that does to a deletion.

X-Versions-Location   a DELETE brings the former version back: such a container is refused
X-History-Location    a DELETE moves the version to that container, and the object is gone
X-Versions-Enabled    the same, in a container that Swift hides
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from typing import Any

from swiftclient.exceptions import ClientException

from service.store.errors import StoreError, Unavailable
from service.store.swift.connections import is_absent

RESTORED = "x-versions-location"
_RETAINED = {
    "x-history-location": "X-Remove-History-Location: true",
    "x-versions-enabled": "X-Versions-Enabled: false",
}
MOST = 1000  # former versions of one object that a deletion removes

_log = logging.getLogger(__name__)


def _restores(headers: Mapping[str, str]) -> bool:
    """Whether a deletion in the container with these headers brings a former version back."""
    return bool(headers.get(RESTORED))


def check_versions(container: str, headers: Mapping[str, str]) -> None:
    """Raise StoreError for a container in which nothing can be deleted for good, and log where bytes are retained."""
    name = shlex.quote(container)
    if _restores(headers):
        raise StoreError(
            f"Swift keeps former versions of what is in container {container} (X-Versions-Location: "
            f"{headers[RESTORED]}), so a deleted image would be replaced by its former version; turn that off with: "
            f"swift post {name} -H 'X-Remove-Versions-Location: true'"
        )
    for header, off in _RETAINED.items():
        if headers.get(header, "").lower() not in ("", "false"):
            _log.warning(
                "Swift retains the bytes of deleted images of container %s (%s: %s); turn that off with: "
                "swift post %s -H '%s'",
                *(container, header, headers[header], name, off),
            )


def delete_versions(connection: Any, container: str, name: str) -> None:
    """After a deletion, look whether the object is gone. Where it is there because its container has begun to bring
    former versions back since the start, these are deleted too; otherwise another client has uploaded it.

    Raises Unavailable, and what the client raises.
    """
    for _ in range(MOST):
        try:
            connection.head_object(container, name)
            if not _restores(connection.head_container(container)):
                return
            connection.delete_object(container, name)
        except ClientException as error:
            if not is_absent(error):
                raise
            return
    raise Unavailable(f"former versions of {name!r} keep coming back in container {container}")
