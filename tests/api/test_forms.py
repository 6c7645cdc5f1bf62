"""Forms that are made of very many small parts are refused before they have taken much of the service's time."""

from __future__ import annotations

import httpx
import pytest

from service.api.http.multipart import MOST_FIELDS, MOST_LINES
from tests.gateways import Gateway

BOUNDARY = "b"
TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(name: str, content: bytes, headers: str = "") -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n{headers}\r\n".encode() + content + b"\r\n"


def form(gateway: Gateway, path: str, parts: bytes) -> httpx.Response:
    return gateway.api.post(f"/images/{path}", content=parts + f"--{BOUNDARY}--\r\n".encode(), headers=TYPE)


@pytest.mark.parametrize("leaf", ["", "one.jpg"])
def test_a_form_of_thousands_of_fields_is_refused(shared: Gateway, folder: str, leaf: str, cat: bytes) -> None:
    fields, file = part('name="a"', b"x"), part('name="file"; filename="cat.jpg"', cat)
    taken = form(shared, f"{folder}/{leaf}", fields * MOST_FIELDS + file)
    assert taken.status_code == 201, taken.text
    for order in (fields * 20_000 + file, file + fields * 20_000):
        refused = form(shared, f"{folder}/second/{leaf}", order)
        assert refused.status_code == 413
        assert refused.json()["type"].endswith(":too-many")
        assert f"more than {MOST_FIELDS} fields" in refused.json()["detail"]


@pytest.mark.parametrize("leaf", ["", "one.jpg"])
def test_lines_before_the_first_field_and_of_headers_are_bounded(
    shared: Gateway, folder: str, leaf: str, cat: bytes
) -> None:
    file = part('name="file"; filename="cat.jpg"', cat)
    headers = part('name="a"', b"x", "".join(f"X-{number}: y\r\n" for number in range(100)))
    for parts in (b"\r\n" * MOST_LINES + file, headers * (MOST_LINES // 100) + file):
        refused = form(shared, f"{folder}/{leaf}", parts[: 2**21 - 2**10])
        assert refused.status_code == 413
        assert refused.json()["type"].endswith(":too-many")
