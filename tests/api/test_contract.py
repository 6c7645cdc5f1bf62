"""What all answers share: conditions, ranges, methods, problems; and the document that says so."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from gateway.errors import Refused
from service.api.http import problems
from service.api.routes import FRONT_HANDLERS, HANDLERS
from service.api.schema.operations import FRONT, OPERATIONS
from service.engine import job
from service.store import errors as store_errors
from tests.gateways import Gateway

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def there(shared: Gateway, cat: bytes) -> str:
    assert shared.upload("contract/cat.jpg", cat).status_code == 201
    return "/images/contract/cat.jpg"


@pytest.mark.parametrize("query", ["?original=true", "?w=100", "/@meta.json"])
def test_conditions_and_ranges_hold_for_every_kind_of_answer(shared: Gateway, there: str, query: str) -> None:
    path = there + query
    whole = shared.api.get(path)
    etag, modified = whole.headers["ETag"], whole.headers["Last-Modified"]
    head = shared.api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for header in ("ETag", "Last-Modified", "Content-Length", "Content-Type", "Accept-Ranges"):
        assert head.headers[header] == whole.headers[header]

    def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return shared.api.get(path, headers=named).status_code

    assert status(If_None_Match=etag) == 304
    assert status(If_None_Match=f'"other", W/{etag}') == 304
    assert status(If_None_Match='"other"') == 200
    assert status(If_Modified_Since=modified) == 304
    assert status(If_Match='"other"') == 412
    assert status(If_Match=etag) == 200
    long_ago = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert status(If_Unmodified_Since=modified) == 200
    assert status(If_Unmodified_Since="Sun, 06 Nov 2094 08:49:37 GMT") == 200
    assert status(If_Unmodified_Since=long_ago) == status(If_Unmodified_Since="Sunday, 06-Nov-94 08:49:37 GMT") == 412
    for no_date in ("yesterday", "Sun, 06 Nov 10000 08:49:37 GMT"):
        assert status(If_Unmodified_Since=no_date) == 200
    assert status(If_Match=etag, If_Unmodified_Since=long_ago) == 200  # RFC 9110, 13.2.2: ETags go before dates
    assert status(If_None_Match=etag, If_Modified_Since=long_ago) == 304
    assert status(If_None_Match='"other"', If_Modified_Since=modified) == 200
    part = shared.api.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert shared.api.get(path, headers={"Range": "bytes=-3"}).content == whole.content[-3:]
    beyond = shared.api.get(path, headers={"Range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.content)}")
    assert status(Range="bytes=0-1", If_Range='"other"') == 200


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/images/x.jpg", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("/images", "GET, HEAD, OPTIONS"),
        ("/purge", "OPTIONS, POST"),
    ],
)
async def test_every_path_tells_its_methods(alone: TestClient[Any, Any], path: str, allow: str) -> None:
    options = await alone.options(path)
    assert (options.status, options.headers["Allow"]) == (204, allow)
    other = await alone.patch(path)
    assert other.status == 405
    assert {word.strip() for word in other.headers["Allow"].split(",")} == set(allow.split(", "))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/problem+json"),
        ("image/webp", "application/problem+json"),
        ("image/avif,image/webp,*/*;q=0.8", "application/problem+json"),
        ("application/json", "application/json"),
        ("text/plain, text/*", "text/plain"),
        ("text/html, text/plain", "text/html"),
    ],
)
def test_a_problem_is_told_in_what_the_client_takes(shared: Gateway, accept: str, content_type: str) -> None:
    refused = shared.api.get("/images/none.jpg", headers={"Accept": accept})
    assert refused.status_code == 404
    assert refused.headers["Content-Type"].partition(";")[0] == content_type
    assert "there is no such image" in refused.text
    assert refused.headers["Cache-Control"] == "no-store"


def test_every_exception_has_its_line_in_the_table() -> None:
    known = {kind.code for kind in problems.table()}
    raised: list[Exception] = [Refused(status, "text") for status in (400, 401, 403)]
    raised += [kind("text") for kind in (*store_errors.StoreError.__subclasses__(), *job.EngineError.__subclasses__())]
    raised += [OSError("disk"), ValueError("a mistake"), web.HTTPNotFound(), web.HTTPMethodNotAllowed("A", ["B"])]
    for error in raised:
        answered = problems.answer(error)
        body = json.loads(bytes(answered.body))  # type: ignore[arg-type]
        assert body["status"] == answered.status
        assert body["type"].rpartition(":")[2] in known
    assert "a mistake" not in body["detail"]


def test_the_documentation_has_the_table_of_the_code() -> None:
    table = re.search(r"^\| status \| code \|.*?(?=\n\n|\Z)", DOCS.read_text(), re.M | re.S)
    assert table is not None
    assert table[0].strip().splitlines() == list(problems.markdown())


def test_the_documentation_names_every_operation() -> None:
    text = DOCS.read_text()
    for operation in OPERATIONS:
        path = operation.path.replace("{name}", "NAME").replace("/docs/NAME", "/docs")
        assert re.search(rf"`{operation.method}[^`]* {re.escape(path)}", text), operation.name


async def test_the_document_is_openapi_and_its_references_hold(alone: TestClient[Any, Any]) -> None:
    document = await (await alone.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {operation.path for operation in OPERATIONS}
    schemas = document["components"]["schemas"]
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        assert reference.removeprefix("#/components/schemas/") in schemas
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "path", ["/images", "/formats", "/presets", "/stats", "/capabilities", "/problems", "/health/live", "/health/ready"]
)
def test_answers_are_as_the_document_describes_them(shared: Gateway, there: str, path: str) -> None:
    document = shared.api.get("/openapi.json").json()
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(shared.api.get(path).json(), {**schema, "components": document["components"]})


async def test_the_page_takes_nothing_from_elsewhere(alone: TestClient[Any, Any]) -> None:
    page = await alone.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="([^"#]+)', await page.text())
    assert "/docs/docs.js" in named
    for path in named:
        assert path.startswith("/")
        assert (await alone.get(path)).status == 200
    assert (await alone.get(URL("/docs/../config.yaml", encoded=True))).status == 404
    assert (await alone.get("/docs/other")).status == 404


def test_every_operation_has_a_handler_and_every_handler_an_operation() -> None:
    assert [operation.name for operation in OPERATIONS] == list(HANDLERS)
    assert [operation.name for operation in FRONT] == list(FRONT_HANDLERS)


def test_only_what_tells_nothing_of_the_images_and_signed_urls_need_no_token() -> None:
    assert {operation.path for operation in OPERATIONS if operation.open} == {
        *("/health/live", "/health/ready", "/openapi.json", "/docs", "/docs/{name}", "/", "/page/{name}"),
        "/incoming/{object}",
    }


@pytest.mark.parametrize("path", ["/none.jpg", "/none.jpg/@w=20.webp", "/none.jpg?original=true", "/none.jpg?url=true"])
def test_a_404_names_the_image(shared: Gateway, folder: str, path: str) -> None:
    for client in (shared.api, shared.public) if "?" not in path else (shared.api,):
        refused = client.get(f"/images/{folder}/a b%2Bc{path}")
        assert refused.status_code == 404
        assert refused.json()["detail"] == f"there is no such image: {folder}/a b+c/none.jpg"


@pytest.mark.parametrize(
    ("query", "meant"),
    [("orignal=true", "original"), ("urll=true", "url"), ("lifetme=60", "lifetime"), ("Original=true", "original")],
)
def test_a_misspelled_parameter_is_told_what_was_meant(shared: Gateway, query: str, meant: str) -> None:
    for path in ("/images/none.jpg", "/images/none.jpg/@w=20.png", "/images/none/"):
        refused = shared.api.get(f"{path}?{query}")
        assert refused.status_code == 400
        assert refused.json()["detail"].endswith(f"did you mean {meant}?"), refused.json()["detail"]


def test_a_misspelled_operation_is_still_told_the_operation(shared: Gateway) -> None:
    assert "did you mean sharpen?" in shared.api.get("/images/none.jpg?sharpne=1").json()["detail"]


def test_a_lifetime_is_a_number_of_seconds_or_a_time(shared: Gateway, folder: str, cat: bytes) -> None:
    name = f"{folder}/cat.jpg"
    assert shared.upload(name, cat).status_code == 201

    def seconds(lifetime: int | str) -> list[float]:
        one = shared.api.get(f"/images/{name}", params={"url": "true", "original": "true", "lifetime": str(lifetime)})
        body = {"names": [name], "original": True, "lifetime": lifetime}
        several = shared.api.post("/urls", json=body)
        told = [one.json()["expires"], several.json()[0]["expires"]]
        return [expires - time.time() for expires in told]

    for lifetime, expected in ((90, 90), ("90s", 90), ("10m", 600), ("1h", 3600), ("2d", 172_800)):
        assert seconds(lifetime) == pytest.approx([expected, expected], abs=30)
    for wrong in ("1w", "soon", "0", "-1h", "0.1s"):
        refused = shared.api.get(f"/images/{name}", params={"url": "true", "lifetime": wrong})
        assert refused.status_code == 400
        assert refused.json()["detail"].startswith("lifetime: must be")
