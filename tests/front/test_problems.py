"""Every request that nginx refuses by itself is answered with a problem, anywhere below /images/."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import images
from tests.gateways import Gateway, running_gateway
from tests.hostile.wire import Answer, exchange, get

pytestmark = pytest.mark.slow

CANONICAL = b"/images/cat.jpg/@w=50,h=50,sharpen=0.5.webp"
BY_RULE = b"/images/cat.jpg/@thumbnail.webp"
MISSING = b"/images/nowhere.jpg/@thumbnail.webp"
OLDER = BY_RULE + b"?v=0123456789abcdef0123456789abcdef"  # of a version that is not the one on disk
TARGETS = (CANONICAL, BY_RULE, MISSING, OLDER)

BODY = b"x" * 5000
CHUNKED = b"Transfer-Encoding: chunked"


@pytest.fixture(scope="module", params=["open", "presets"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that looks at the disk before any rule, and one that has rules to follow first."""
    with running_gateway(tmp_path_factory.mktemp("problems"), {"public": {"access": request.param}}) as running:
        assert running.upload("cat.jpg", images.jpeg(images.flat(60, 60))).status_code == 201
        assert [ask(running, CANONICAL).status for _ in range(2)] == [200, 200]
        yield running


def ask(gateway: Gateway, target: bytes, *headers: bytes, method: bytes = b"GET", body: bytes = b"") -> Answer:
    """The only answer to these bytes, which must be a problem where it is a failure."""
    (answer,) = exchange(gateway.public, get(target, *headers, method=method) + body)
    if answer.status >= 400:
        assert answer.problem["detail"]
        assert answer.problem["type"].startswith("urn:image-gateway:problem:")
        assert answer.headers["x-content-type-options"] == "nosniff"
    return answer


def test_a_problem_reads_the_same_from_nginx_and_from_the_service(gateway: Gateway) -> None:
    """In the order of RFC 9457's members, whatever the build of cjson; a slash is no escape in either."""
    path = "/images/cat.jpg/@w=x/y.webp"
    assert gateway.public.get(path).text == gateway.api.get(path).text
    assert list(gateway.public.get(path).json()) == ["type", "title", "status", "detail"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT"])
def test_a_body_is_too_large_and_uploads_have_another_port(gateway: Gateway, target: bytes, method: bytes) -> None:
    answer = ask(gateway, target, b"Content-Length: %d" % len(BODY), method=method, body=BODY)
    assert answer.status == 413
    assert "API port" in answer.problem["detail"]


@pytest.mark.parametrize("target", [MISSING, OLDER])
def test_a_body_in_chunks_is_too_large_as_well(gateway: Gateway, target: bytes) -> None:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    assert ask(gateway, target, CHUNKED, body=body).status == 413


@pytest.mark.parametrize("target", TARGETS)
def test_chunks_that_are_none_are_malformed(gateway: Gateway, target: bytes) -> None:
    assert ask(gateway, target, CHUNKED, body=b"zz\r\nabc\r\n").status == 400


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((b"Content-Length: 1", b"Content-Length: 2"), 400),
        ((b"Transfer-Encoding: gzip",), 400),
        ((b"X: " + b"a" * 20_000,), 400),
    ],
)
def test_headers_that_are_wrong_are_malformed(
    gateway: Gateway, target: bytes, headers: tuple[bytes, ...], status: int
) -> None:
    assert ask(gateway, target, *headers).status == status


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_is_too_long_is_malformed(gateway: Gateway, target: bytes) -> None:
    assert ask(gateway, target + b"?" + b"a" * 20_000).status == 400


@pytest.mark.parametrize("method", [b"POST", b"DELETE", b"PATCH"])
@pytest.mark.parametrize("target", TARGETS)
def test_other_methods_are_not_for_here(gateway: Gateway, target: bytes, method: bytes) -> None:
    assert ask(gateway, target, method=method).status == 405


@pytest.mark.parametrize("target", [CANONICAL, BY_RULE])
@pytest.mark.parametrize(
    ("kind", "statuses"),
    [("a link to itself", (403, 200)), ("a socket", (500,))],  # 200: to the rules the link is nothing, it is made anew
)
def test_a_file_that_cannot_be_read_is_a_problem_too(
    gateway: Gateway, target: bytes, kind: str, statuses: tuple[int, ...]
) -> None:
    file = gateway.derived / "cat.jpg/@w=50,h=50,sharpen=0.5.webp"
    image = file.read_bytes()
    file.unlink()
    try:
        if kind == "a socket":
            os.mknod(file, stat.S_IFSOCK | 0o600)
        else:
            file.symlink_to(file)
        assert ask(gateway, target).status in statuses
    finally:
        file.unlink()
        file.write_bytes(image)


def test_a_service_that_does_not_answer_is_a_problem_too(tmp_path: Path) -> None:
    with running_gateway(tmp_path, {"limits": {"time": "100ms"}}) as alone:
        path = tmp_path / "var/run/service.sock"
        aside = path.rename(tmp_path / "aside")
        try:
            assert_unavailable(alone)  # nobody is there: 502 to nginx
            with socket.socket(socket.AF_UNIX) as silent:
                silent.bind(str(path))
                silent.listen()
                assert_unavailable(alone)  # nobody says anything: 504 to nginx
        finally:
            aside.rename(path)


def assert_unavailable(gateway: Gateway) -> None:
    answer = ask(gateway, MISSING)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
