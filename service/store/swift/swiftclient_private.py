"""The parts of swiftclient that it does not promise to keep, which temporary URLs and deletions need. The range of
versions in pyproject.toml is as narrow as these demand; importing this module fails where swiftclient has changed
them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

from swiftclient import Connection
from swiftclient.client import http_connection


def http_of(connection: Any) -> Any:
    """Returns the HTTP connection below a `swiftclient.Connection`, opened if need be: it has `request`, `getresponse`
    and, after an answer, `resp`, the response of `requests`."""
    if connection.http_conn is None:
        connection.http_conn = connection.http_connection()
    return connection.http_conn[1]


def require(opened: Callable[[], tuple[Any, Any]], version: str) -> None:
    """Raises ImportError where connections are not what `http_of` takes them for. Nothing is sent."""
    connection = Connection(preauthurl="http://127.0.0.1", preauthtoken="none")
    try:
        http = opened()[1]
        known = connection.http_conn is None and callable(connection.http_connection)
        known = known and http.resp is None and callable(http.request) and callable(http.getresponse)
    except (AttributeError, TypeError, IndexError):
        known = False
    if not known:
        raise ImportError(
            f"python-swiftclient {version}: its Connection.http_conn is not what it was; "
            "install a version within the range of pyproject.toml"
        )


require(lambda: http_connection("http://127.0.0.1"), metadata.version("python-swiftclient"))
