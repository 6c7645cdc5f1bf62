"""Who sends or reads slowly, or leaves in the middle, holds a connection for a while and nothing else."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from tests import images
from tests.gateways import Gateway
from tests.hostile.watch import assert_serves, unharmed
from tests.hostile.wire import connect, get

pytestmark = pytest.mark.slow

HEADERS = 10.0  # seconds that both ports wait for the headers of a first request
CROWD = 150  # connections to each port
UPLOAD = b"Content-Length: 4000000"


@contextlib.contextmanager
def crowd(client: httpx.Client, data: bytes, count: int = CROWD) -> Iterator[list[socket.socket]]:
    """Connections that have sent `data` and no more."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(client)) for _ in range(count)]
        for connection in connections:
            connection.sendall(data)
        yield connections


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return bool(connection.recv(65536))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_connections_that_never_finish_their_headers_are_closed(gateway: Gateway) -> None:
    with unharmed(gateway):
        began, half = time.monotonic(), b"GET /images/good.jpg HTTP/1.1\r\nX-Slow: "
        with crowd(gateway.public, half) as public, crowd(gateway.api, half) as api, crowd(gateway.api, b"") as silent:
            assert_serves(gateway)
            assert all(is_open(connection) for connection in (*public[:3], *api[:3], *silent[:3]))
            while any(is_open(connection) for connection in (*public, *api, *silent)):
                for connection in (*public[:5], *api[:5]):
                    with contextlib.suppress(ConnectionError):
                        connection.send(b"x")  # a byte now and then does not help
                assert time.monotonic() - began < HEADERS + 40  # nginx's own limit is 60 s
                time.sleep(0.2)


def test_uploads_that_stop_in_the_middle_harm_nobody(gateway: Gateway) -> None:
    with unharmed(gateway):
        head = get(b"/images/stuck.jpg?replace=true", UPLOAD, method=b"PUT") + b"\xff\xd8\xff" + bytes(100_000)
        with crowd(gateway.api, head, 40):
            assert_serves(gateway)
            assert gateway.upload("beside.png", images.png(images.flat(8, 8)), replace="true").status_code == 201
        assert gateway.api.get("/images/stuck.jpg?original=true").status_code == 404


def test_an_upload_that_is_shorter_or_longer_than_it_says_stores_nothing(gateway: Gateway) -> None:
    data = images.jpeg()
    with unharmed(gateway):
        for said in (len(data) + 1, len(data) * 2):
            with connect(gateway.api) as connection:
                connection.sendall(get(b"/images/short.jpg", b"Content-Length: %d" % said, method=b"PUT") + data)
        assert gateway.api.get("/images/short.jpg?original=true").status_code == 404
        for size in (8 * 2**20 + 1, 30 * 2**20):
            assert gateway.upload("long.jpg", bytes(size)).status_code == 413
        assert gateway.api.get("/images/long.jpg?original=true").status_code == 404


def test_those_who_leave_while_their_image_is_made_take_nothing_along(gateway: Gateway) -> None:
    with unharmed(gateway):
        for number in range(30):
            with connect(gateway.public) as connection:
                connection.sendall(get(b"/images/good.jpg/@crop=0:0:%d:99,blur=4.jpg" % (100 + number)))


def test_slow_readers_hold_up_nobody(gateway: Gateway) -> None:
    noise = np.random.default_rng(9).integers(0, 256, (1200, 1200, 3), np.uint8)
    with unharmed(gateway):
        assert gateway.upload("noise.png", images.png(noise, compress_level=1), replace="true").status_code == 201
        assert gateway.public.get("/images/noise.png/@full.png").status_code == 200
        requests = (
            (gateway.public, get(b"/images/noise.png/@full.png")),
            (gateway.api, get(b"/images/noise.png/@full.png")),
            (gateway.api, get(b"/images/noise.png?original=true")),
        )
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(crowd(client, request, 30)) for client, request in requests]
            assert_serves(gateway)
            assert all(is_open(connection) for connection in slow[0])  # so it was not they who had to go first


@pytest.mark.parametrize("writers", [6])
def test_of_uploads_of_one_name_at_once_one_wins_whole(gateway: Gateway, writers: int) -> None:
    versions = [images.png(images.flat(32, 32, (40 * number, 0, 0))) for number in range(writers)]
    with unharmed(gateway):
        for _ in range(3):
            with ThreadPoolExecutor(writers) as pool:
                sent = list(pool.map(lambda data: _put(gateway, data), versions))
            assert set(sent) <= {201, 409, 412}
            assert 201 in sent
            original = gateway.api.get("/images/contested.png?original=true").content
            assert original in versions
            for client in (gateway.public, gateway.api):
                shown = images.pixels(client.get("/images/contested.png/@w=8.png").content)
                assert tuple(shown[4, 4]) == (40 * versions.index(original), 0, 0)


def _put(gateway: Gateway, data: bytes) -> int:
    url = f"{gateway.api.base_url}/images/contested.png"
    return httpx.put(url, content=data, params={"replace": "true"}, timeout=60, trust_env=False).status_code
