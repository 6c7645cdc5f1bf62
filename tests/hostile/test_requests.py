"""What is not quite HTTP: one clear answer or none, on both ports, and never a second request inside the first."""

from __future__ import annotations

import pytest

from tests.gateways import Gateway
from tests.hostile.watch import unharmed
from tests.hostile.wire import Answer, connect, exchange, get, receive

TARGET = b"/images/good.jpg/@w=8.png"
SMUGGLED = get(b"/images/smuggled.jpg/@w=8.png")
LONG = 100_000

MALFORMED = {
    "a target of 100 KB": get(b"/images/" + b"a" * LONG),
    "a query of 100 KB": get(TARGET + b"?w=" + b"1" * LONG),
    "a recipe of 100 KB": get(b"/images/good.jpg/@" + b"w=1," * (LONG // 4) + b"w=1.png"),
    "slashes of 100 KB": get(b"/images/" + b"/" * LONG),
    "escapes of 100 KB": get(b"/images/" + b"%41" * (LONG // 3)),
    "garbage of 100 KB": b"\x80\xff" * (LONG // 2) + b"\r\n\r\n",
    "a header of 100 KB": get(TARGET, b"X: " + b"a" * LONG),
    "2000 headers": get(TARGET, *(b"X%d: y" % number for number in range(2000))),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(1, 200)) + b"\r\n\r\n",
    "HTTP/9.9": b"GET " + TARGET + b" HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no method": b" " + TARGET + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method with a bracket": get(TARGET, method=b"G(T"),
    "a method in small letters": get(TARGET, method=b"get"),
    "a null in the target": get(b"/images/good\0.jpg"),
    "a space in the target": get(b"/images/good .jpg"),
    "an escape that is none": get(b"/images/good%zz.jpg"),
    "half an escape": get(b"/images/good.jpg%4"),
    "raw bytes beyond ASCII": get(b"/images/\xff\xfe.jpg"),
    "a header without a name": get(TARGET, b": x"),
    "a space before the colon": get(TARGET, b"X : x"),
    "a header with a null": get(TARGET, b"X: a\0b"),
    "no Host": b"GET " + TARGET + b" HTTP/1.1\r\n\r\n",
    "a PROXY line": b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n" + get(TARGET),
}
SMUGGLING = {
    "length and chunks": (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "two lengths": (b"Content-Length: 0", b"Content-Length: 5"),
    "two lengths in one": (b"Content-Length: 0, 5",),
    "a negative length": (b"Content-Length: -1",),
    "a signed length": (b"Content-Length: +5",),
    "a length in hex": (b"Content-Length: 0x5",),
    "a huge length": (b"Content-Length: 99999999999999999999999999",),
    "another coding": (b"Transfer-Encoding: xchunked",),
    "two codings": (b"Transfer-Encoding: chunked, identity",),
    "a coding twice": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "a tab before the colon": (b"Transfer-Encoding\t: chunked",),
    "a vertical tab": (b"Transfer-Encoding: \x0bchunked",),
    "a folded line": (b"Transfer-Encoding:\r\n chunked",),
    "a bare carriage return": (b"X: y\rTransfer-Encoding: chunked",),
}


def check(answers: list[Answer], statuses: tuple[int, ...]) -> None:
    """At most one answer, of these statuses, which tells nothing of what runs here."""
    assert len(answers) <= 1, answers
    for answer in answers:
        assert answer.status in statuses, answer
        assert answer.problem["type"].startswith("urn:image-gateway:problem:")
        assert_no_banner(answer)


def assert_no_banner(answer: Answer) -> None:
    assert answer.headers["server"] in ("nginx", "openresty", "image-gateway")
    for word in (b"aiohttp", b"Python", b"Traceback", b"/usr/", b".py"):
        assert word not in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_malformed_is_told_so_on_both_ports(gateway: Gateway, kind: str) -> None:
    for client in (gateway.public, gateway.api):
        answers = exchange(client, MALFORMED[kind])
        assert len(answers) == 1, answers
        check(answers, (400,))


@pytest.mark.parametrize("kind", SMUGGLING)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_no_request_hides_inside_another(gateway: Gateway, kind: str, method: bytes) -> None:
    for client in (gateway.public, gateway.api):
        request = get(TARGET, *SMUGGLING[kind], method=method, close=False)
        check(exchange(client, request + b"0\r\n\r\n" + SMUGGLED, silence=0.5), (400, 405, 413))


def test_the_body_of_a_get_is_not_the_next_request(gateway: Gateway) -> None:
    with unharmed(gateway):
        length = b"Content-Length: %d" % len(SMUGGLED)
        chunked = b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n"
        for client in (gateway.public, gateway.api):
            for request in (
                get(TARGET, length, close=False) + SMUGGLED,
                get(TARGET, b"Transfer-Encoding: chunked", close=False) + chunked,
                get(b"/images/missing.jpg/@w=9.png", length, close=False) + SMUGGLED,
            ):
                (answer,) = exchange(client, request, silence=0.5)
                assert answer.status in (200, 404)


def test_after_everything_connections_carry_the_right_answers(gateway: Gateway) -> None:
    with unharmed(gateway):
        for data in MALFORMED.values():
            exchange(gateway.public, data)
        for client in (gateway.public, gateway.api):
            requests = [
                get(b"/images/good.jpg/@w=%d.png" % (10 + number % 3), close=number == 11) for number in range(12)
            ]
            answers = exchange(client, b"".join(requests))
            assert [answer.status for answer in answers] == [200] * 12
            assert [int.from_bytes(answer.body[16:20]) for answer in answers] == [10, 11, 12] * 4


@pytest.mark.parametrize(
    "target",
    [b"*", b"x:80", b"http://other/images/good.jpg/@w=8.png", b"/images/good.jpg/@w=8.png#x", b"//images/good.jpg"],
)
@pytest.mark.parametrize("method", [b"GET", b"OPTIONS", b"CONNECT", b"TRACE", b"PROPFIND", b"PATCH"])
def test_other_forms_and_methods_do_nothing(gateway: Gateway, target: bytes, method: bytes) -> None:
    for client in (gateway.public, gateway.api):
        for answer in exchange(client, get(target, method=method)):
            assert answer.status in (200, 204, 400, 404, 405, 413, 415), answer
            assert answer.status < 400 or answer.problem
            assert answer.headers["server"] in ("nginx", "openresty", "image-gateway")


@pytest.mark.parametrize(
    "header",
    [
        *(
            b"Range: bytes=0-0,1-1,2-2",
            b"Range: bytes=" + b"0-1," * 3000 + b"0-1",
            b"Range: bytes=99999999999999999999-",
        ),
        *(b"Range: bytes=-0", b"Range: lines=1-2", b"If-Match: nothing", b"If-None-Match: " + b'"a",' * 3000 + b'"b"'),
        *(b"If-Modified-Since: yesterday", b"Accept: " + b"image/webp;q=0." * 900, b"Accept: \xff\xfe", b"Host: "),
        *(b"Expect: 200-maybe", b"Upgrade: h2c\r\nConnection: Upgrade", b"X-Accel-Redirect: /etc/passwd"),
        *(b"X-Forwarded-For: 1.1.1.1", b"X-Original-URL: /@derived/good.jpg", b"X-HTTP-Method-Override: DELETE"),
        *(b"Content-Encoding: gzip", b"Authorization: Bearer " + b"a" * 5000, b"Cookie: " + b"a=b;" * 2000),
    ],
)
def test_no_header_makes_an_answer_wrong(gateway: Gateway, header: bytes) -> None:
    for client in (gateway.public, gateway.api):
        (answer,) = exchange(client, get(TARGET, header))
        assert answer.status in (200, 206, 400, 412, 416, 417), answer
        assert len(answer.body) < 10_000
        if answer.status >= 400:
            assert answer.problem
            assert_no_banner(answer)


def test_an_unfinished_chunked_upload_is_a_client_error(gateway: Gateway) -> None:
    with unharmed(gateway):
        for rest in (b"zz\r\nabc\r\n", b"5\r\nabcdefgh\r\n", b"FFFFFFFFFFFFFFFFFF\r\n"):
            with connect(gateway.api) as connection:
                connection.sendall(
                    get(b"/images/chunks.jpg", b"Transfer-Encoding: chunked", method=b"PUT") + b"3\r\nabc\r\n"
                )
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    connection.recv(1)
                connection.sendall(rest)
                data = receive(connection, 5)
            assert data.startswith(b"HTTP/1.1 400 ") or not data, data
