"""Names and queries that mean more than they say: none reaches a file, a header or an image that it should not."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests import images
from tests.gateways import Gateway
from tests.hostile.watch import unharmed
from tests.hostile.wire import Answer, exchange, get

OUTSIDE = images.png(images.flat(16, 16))
CLIMBS = (
    *("../outside.png", "..%2foutside.png", "%2e%2e/outside.png", "%2E%2E%2Foutside.png", ".%2e/outside.png"),
    *("..%5coutside.png", "..\\outside.png", "%252e%252e%252foutside.png", "..%252foutside.png", "..;/outside.png"),
    *("%c0%ae%c0%ae/outside.png", "%c0%ae%c0%ae%c0%afoutside.png", "%e0%80%ae%e0%80%ae/outside.png", "%u002e%u002e/x"),
    *("..%00/outside.png", "..%0a/outside.png", "....//outside.png", "./../outside.png", "good.jpg/../../outside.png"),
    *(
        "good.jpg/..%2f..%2foutside.png",
        "a/../../outside.png",
        "a/b/../../../outside.png",
        "/../outside.png",
        "//etc/passwd",
    ),
    *("/etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd", "file:%2f%2f%2fetc/passwd", "good.jpg%00/outside.png"),
    *(
        "..%ef%bc%8foutside.png",
        "%ef%bc%8e%ef%bc%8e/outside.png",
        "%e2%80%a5/outside.png",
        "~/outside.png",
        ".",
        "..",
        "%2e",
    ),
    *("@derived/good.jpg", "@problem/400", "good.jpg/@/../../../outside.png", "good.jpg/@w=1/../../outside.png"),
)
INJECTIONS = (
    *("good.jpg%0d%0aX-Injected:%201", "good.jpg%0aX-Injected:%201", "%E5%98%8A%E5%98%8DX-Injected:%201/a.jpg"),
    *(
        "good.jpg/@w=10%0d%0aX-Injected:1.png",
        "good.jpg?format=png%0d%0aX-Injected:%201",
        "good.jpg?w=10%0aX-Injected:1",
    ),
    *("good.jpg?sig=a%0d%0aX-Injected:1", "good.jpg?exp=1%0d%0aX-Injected:1", "good.jpg?v=%0d%0aX-Injected:%201"),
    *("good.jpg?v=%00", "good.jpg?v=" + "a" * 300, "good.jpg?url=true%0d%0aX-Injected:1", "x%0d%0a%0d%0a<script>.jpg"),
)


@pytest.fixture(scope="module", autouse=True)
def outside(gateway: Gateway) -> None:
    """Images where climbing out of the store or out of the derived cache would arrive."""
    for folder in ("var", "var/cache", "var/run", "."):
        (gateway.root / folder / "outside.png").write_bytes(OUTSIDE)


def ask(gateway: Gateway, target: str, method: bytes = b"GET", *headers: bytes, body: bytes = b"") -> list[Answer]:
    """What either port answers to this very target."""
    length = (b"Content-Length: %d" % len(body),) if body else ()
    request = get(b"/images/" + target.encode("latin-1"), *headers, *length, method=method) + body
    return [answer for client in (gateway.public, gateway.api) for answer in exchange(client, request)]


@pytest.mark.parametrize("name", ["./good.jpg", "a/../good.jpg", "%2e/good.jpg", "a/%2E%2e/good.jpg", "good.jpg/.."])
def test_dots_are_no_part_of_a_name(gateway: Gateway, name: str) -> None:
    assert [answer.status for answer in ask(gateway, name + "/@w=8.png")] == [400, 400]


@pytest.mark.parametrize("name", ["../outside.png", "%2e%2e/outside.png", "a/../../outside.png", "../var/outside.png"])
def test_out_of_the_images_there_is_nothing(gateway: Gateway, name: str) -> None:
    assert [answer.status for answer in ask(gateway, name)] == [400, 400]
    assert [answer.status for answer in ask(gateway, "../" + name)] == [400, 400]


def test_no_way_of_writing_two_dots_leads_outside(gateway: Gateway) -> None:
    with unharmed(gateway):
        for name in CLIMBS:
            for end in ("", "/@w=8.png", "/@full.png", "?format=png", "?original=true", "/@meta.json"):
                for answer in ask(gateway, name + end):
                    assert answer.status in (400, 403, 404, 415), (name + end, answer)
                    assert answer.problem["detail"]
                    assert b"root:" not in answer.body


def test_nothing_is_written_or_deleted_outside_either(gateway: Gateway) -> None:
    with unharmed(gateway):
        before = everything(gateway)
        for name in CLIMBS:
            for method, body in ((b"PUT", OUTSIDE), (b"POST", OUTSIDE), (b"DELETE", b"")):
                for answer in ask(gateway, name + "?replace=true", method, body=body):
                    assert answer.status in (400, 403, 404, 405, 201, 204), (name, method, answer)
                    assert answer.status in (201, 204) or answer.problem
        assert everything(gateway) == before


def everything(gateway: Gateway) -> dict[str, bytes]:
    """The files outside the store and the caches."""
    kept = (gateway.root, gateway.root / "var", gateway.root / "var/cache")
    files = (path for folder in kept for path in folder.iterdir() if path.is_file() and path.name != "log")
    return {str(path): path.read_bytes() for path in files}


def test_no_name_and_no_query_writes_a_header(gateway: Gateway) -> None:
    with unharmed(gateway):
        for target in INJECTIONS:
            for answer in ask(gateway, target):
                assert answer.status in (200, 400, 403, 404), (target, answer)
                assert not {"x-injected", "set-cookie"} & set(answer.headers), target
                assert b"<script>" not in answer.body


@pytest.mark.parametrize(
    "name", ["g\u043e\u043ed.jpg", "good.jpg\u200b", "GOOD.JPG", "good.jp\u0261", "good\uff0ejpg", " good.jpg"]
)
def test_what_only_looks_like_a_name_is_another(gateway: Gateway, name: str) -> None:
    with unharmed(gateway):
        assert [answer.status for answer in ask(gateway, quote(name) + "/@w=8.png")] == [404, 404]


def test_composed_and_decomposed_letters_are_two_names(gateway: Gateway) -> None:
    with unharmed(gateway):
        assert gateway.upload(quote("caf\u00e9.png"), OUTSIDE).status_code == 201
        assert [answer.status for answer in ask(gateway, quote("caf\u00e9.png") + "/@w=8.png")] == [200, 200]
        assert [answer.status for answer in ask(gateway, quote("cafe\u0301.png") + "/@w=8.png")] == [404, 404]


@pytest.mark.parametrize("length", [255, 256, 1023, 1024, 1025, 5000, 12_000])
def test_long_names_work_or_are_refused(gateway: Gateway, length: int) -> None:
    segment, path = "a" * length, ("a" * 99 + "/") * (length // 100 + 1)
    path = path[: length - 1] + "b"
    with unharmed(gateway):
        for name in (segment, path, "%41" * length):
            for answer in ask(gateway, name + "/@w=8.png"):
                assert answer.status in ((404, 400) if length <= 1024 else (400,)), (length, answer)
                assert answer.problem
            stored = gateway.api.post(f"/images/{name}", content=OUTSIDE)
            assert stored.status_code in ((201, 400, 409) if length <= 1024 else (400,)), stored.text
            gateway.api.delete(f"/images/{name}")


def test_no_listing_of_any_folder_is_public(gateway: Gateway) -> None:
    with unharmed(gateway):
        for target in (
            b"/",
            b"/images/",
            b"/images",
            b"/images/good.jpg/",
            b"/images/@derived/",
            b"/@derived/",
            b"/health/",
        ):
            (answer,) = exchange(gateway.public, get(target))
            assert answer.status in (400, 404), (target, answer)
            assert answer.problem
