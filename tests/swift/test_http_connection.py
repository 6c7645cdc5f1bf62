"""The HTTP connection below python-swiftclient does what its own does, but for redirects."""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from swiftclient import Connection
from swiftclient.exceptions import ClientException

from service.store.swift.http_connection import OwnHTTP, SwiftConnection
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.waiting import PATIENCE

CHANGING = {"date", "x-trans-id", "x-openstack-request-id", "connection"}
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Trans-Id: tx1\r\n\r\n"


@pytest.fixture(scope="module")
def both(swift: SwiftServer) -> Iterator[tuple[Connection, Connection, str]]:
    """swiftclient's own connection, ours, and a container with an object `ä b.jpg`."""
    with contextlib.closing(client(swift.url)) as opened:
        url, token = opened.get_auth()
    own = Connection(preauthurl=url, preauthtoken=token, retries=0, timeout=PATIENCE)
    ours = SwiftConnection(preauthurl=url, preauthtoken=token, retries=0, timeout=(PATIENCE, PATIENCE))
    container = f"http-{uuid.uuid4().hex}"
    ours.put_container(container, {"X-Container-Meta-Note": "ä %41"})
    ours.put_object(container, "ä b.jpg", b"0123456789" * 100_000, headers={"X-Object-Meta-Text": "ü%20%"})
    yield own, ours, container
    own.close()
    ours.close()


CALLS: dict[str, Callable[[Any, str], Any]] = {
    "account": lambda connection, _: connection.head_account(),
    "container": lambda connection, container: connection.head_container(container),
    "listing": lambda connection, container: connection.get_container(container, prefix="ä"),
    "head": lambda connection, container: connection.head_object(container, "ä b.jpg"),
    "object": lambda connection, container: connection.get_object(container, "ä b.jpg"),
    "range": lambda connection, container: connection.get_object(container, "ä b.jpg", headers={"Range": "bytes=3-5"}),
    "put": lambda connection, container: connection.put_object(container, "empty", b""),
    "post": lambda connection, container: connection.post_object(container, "ä b.jpg", {"X-Object-Meta-A": "1"}),
    "capabilities": lambda connection, _: connection.get_capabilities()["swift"]["max_file_size"],
    "missing": lambda connection, container: connection.head_object(container, "missing"),
    "missing body": lambda connection, container: connection.get_object(container, "missing"),
    "refused": lambda connection, container: connection.put_object(container, "a", b"a", etag="0" * 32),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_what_it_gives_by_requests(both: tuple[Connection, Connection, str], name: str) -> None:
    own, ours, container = both
    assert _told(CALLS[name], ours, container) == _told(CALLS[name], own, container)


def _told(call: Callable[[Any, str], Any], connection: Any, container: str) -> Any:
    try:
        found = call(connection, container)
    except ClientException as error:
        headers = {key.lower(): value for key, value in (error.http_response_headers or {}).items()}
        return error.http_status, error.http_reason, error.http_path, _lasting(headers), error.http_response_content
    if isinstance(found, tuple):
        return _lasting(found[0]), found[1]
    return _lasting(found) if hasattr(found, "items") else found


def _lasting(headers: Any) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key not in CHANGING}


def test_what_is_left_of_an_answer_does_not_become_the_next_one(both: tuple[Connection, Connection, str]) -> None:
    _, ours, container = both
    for closed in (True, False):
        _, body = ours.get_object(container, "ä b.jpg", resp_chunk_size=1000)
        assert len(next(body)) == 1000
        if closed:
            body.close()
        assert ours.head_object(container, "ä b.jpg")["content-length"] == "1000000"


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one of these answers on each connection, and closes it; its URL, and the heads it got."""
    heads: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(4096)
                    heads.append(head.decode())
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heads
        thread.join(PATIENCE)


def test_what_arrives_late_of_an_answer_is_not_taken_for_the_next_one() -> None:
    """The server sends the rest of a body, which looks like an answer, when it gets the next request."""
    forged, whole = (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: %s\r\n\r\n" % etag for etag in (b"forged", b"e"))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            first, _ = listening.accept()
            with first:
                first.recv(4096)
                first.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nx" % (1 + len(forged)))
                if first.recv(4096):
                    first.sendall(forged)
                    return
            second, _ = listening.accept()
            with second:
                second.recv(4096)
                second.sendall(whole)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with contextlib.closing(connected(f"http://127.0.0.1:{listening.getsockname()[1]}")) as connection:
            _, body = connection.get_object("c", "first", resp_chunk_size=1)
            assert next(body) == b"x"
            body.close()
            assert connection.head_object("c", "second")["etag"] == "e"
        thread.join(PATIENCE)


def test_an_address_of_ipv6_needs_no_port() -> None:
    assert [OwnHTTP(f"{scheme}://[::1]/v1", (1, 1), None)._http.port for scheme in ("http", "https")] == [80, 443]


def connected(url: str) -> SwiftConnection:
    return SwiftConnection(preauthurl=f"{url}/v1/a", preauthtoken="token", retries=0, timeout=(PATIENCE, PATIENCE))


def test_a_connection_that_the_server_has_closed_is_opened_anew() -> None:
    with answering(EMPTY, EMPTY) as (url, heads), contextlib.closing(connected(url)) as connection:
        connection.head_object("c", "first")
        # The end of the connection is there before the next request, as after an idle while.
        connection.http_conn[1]._http.sock.recv(1, socket.MSG_PEEK)
        connection.head_object("c", "second")
    assert [head.partition(" HTTP")[0] for head in heads] == ["HEAD /v1/a/c/first", "HEAD /v1/a/c/second"]


def test_a_redirect_is_not_followed_so_that_no_other_server_gets_the_token() -> None:
    with answering() as (other, asked):
        moved = f"HTTP/1.1 302 Found\r\nLocation: {other}/v1/a/c/o\r\nContent-Length: 0\r\n\r\n".encode()
        with answering(moved) as (url, heads), pytest.raises(ClientException) as raised:
            connected(url).head_object("c", "o")
    assert raised.value.http_status == 302
    assert (len(heads), asked) == (1, [])


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(EMPTY) as (proxy, heads):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")
        with contextlib.closing(connected("http://swift.example.org")) as connection:
            connection.head_object("c", "o")
    assert heads[0].startswith("HEAD http://swift.example.org/v1/a/c/o HTTP/1.1\r\n")
