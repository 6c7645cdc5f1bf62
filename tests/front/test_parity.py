"""nginx and the service read every request alike: the same refusals, the same verdicts, the same names."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.samples import Request, requests
from service.api.http import problems
from tests import images
from tests.gateway.requests import RULES
from tests.gateways import Gateway, running_gateway

pytestmark = pytest.mark.slow

REFUSALS = 1200  # requests, about a third of them damaged
LUA = Path(__file__).resolve().parents[2] / "nginx/lua"
NAMES = 150  # requests whose derived image is made, and then must be found
IMAGE = images.png(images.photo(24, 16))


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the socket that nginx asks the service on."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def options(access: str) -> dict[str, object]:
    return {
        "public": {"access": access, "keys": dict(RULES.keys), "metadata": True},
        "presets": dict(RULES.presets),
        "metadata": {"keep": ["icc", "copyright"]},
    }


@pytest.fixture(scope="module", params=["open", "signed", "presets"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp(request.param), options(request.param)) as running:
        yield running


def printable(text: str) -> str:
    """The text as it can stand in a request line: whatever is not printable ASCII is escaped."""
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in raw)


def target(asked: Request) -> str:
    query = f"?{printable(asked.query)}" if asked.query else ""
    return f"/images/{printable(asked.path)}{query}"


def answer(connection: http.client.HTTPConnection, asked: Request) -> tuple[int, str, str | None]:
    """Status, detail and Vary of what is answered."""
    connection.request("GET", target(asked), headers={"Accept": f"{asked.accept},application/problem+json"})
    response = connection.getresponse()
    body, vary = response.read(), response.headers["Vary"]
    return response.status, json.loads(body)["detail"], vary


def test_a_line_feed_in_a_name_is_no_way_past_the_rules(front: Gateway) -> None:
    service = UnixConnection(front.root / "var/run/service.sock")
    status, detail, _ = answer(service, Request("a%0Ab.jpg/@full.jpg", ""))
    service.close()
    assert (status, detail) == (400, "the name holds a control character")


def test_nginx_tells_problems_by_the_codes_of_the_table() -> None:
    codes = re.findall(r'\[(\d+)\] = "([a-z-]+)",', (LUA / "problems.lua").read_text())
    table = {(str(kind.status), kind.code) for kind in problems.table()}
    assert set(codes) <= table
    assert len(codes) >= 12


def test_what_one_refuses_the_other_refuses_with_the_same_words(front: Gateway) -> None:
    url = front.public.base_url
    nginx = http.client.HTTPConnection(url.host, url.port, timeout=60)
    service = UnixConnection(front.root / "var/run/service.sock")
    seen: set[int] = set()
    for asked in requests(RULES, REFUSALS, seed=7):
        by_nginx, by_service = answer(nginx, asked), answer(service, asked)
        assert by_nginx == by_service, target(asked)
        seen.add(by_nginx[0])
    nginx.close()
    service.close()
    assert {400, 404} <= seen


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("stocked"), options("open")) as running:
        for name in ("cat.jpg", "photos/2024/cat.jpg", "a", "猫/🐈.jpg", "x y+z%.png", "..."):
            assert running.upload(printable(name.replace("%", "%25")), IMAGE).status_code == 201
        yield running


def test_nginx_finds_what_the_service_published_whatever_the_spelling(stocked: Gateway) -> None:
    url = stocked.public.base_url
    nginx = http.client.HTTPConnection(url.host, url.port, timeout=60)
    found = 0
    for asked in requests(RULES, NAMES * 12, seed=11):
        answers = []
        for _ in ("made", "hit"):
            nginx.request("GET", target(asked), headers={"Accept": asked.accept})
            response = nginx.getresponse()
            answers.append((response.status, response.headers["X-Cache"], response.headers["ETag"], response.read()))
        if answers[0][0] != 200:
            continue
        assert answers[1][1] == "HIT-DISK", target(asked)
        assert answers[1][2:] == answers[0][2:], target(asked)
        found += 1
        if found == NAMES:
            break
    nginx.close()
    assert found == NAMES
