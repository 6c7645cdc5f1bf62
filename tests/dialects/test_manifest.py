"""A folder as a manifest of the Presentation API 3.0: https://iiif.io/api/presentation/3.0/"""

from __future__ import annotations

import httpx
import pytest

from tests import images
from tests.gateways import Gateway

SIZES = {"page 1.png": (60, 80), "page 2.png": (90, 40)}


@pytest.fixture(scope="module", autouse=True)
def _folders(gateway: Gateway) -> None:
    for name, size in SIZES.items():
        for folder in ("folio", "closed"):
            assert gateway.upload(f"{folder}/{name}", images.png(images.photo(*size))).status_code == 201


@pytest.mark.parametrize("port", ["public", "api"])
def test_a_folder_is_a_manifest_with_a_canvas_for_each_image(gateway: Gateway, port: str) -> None:
    client: httpx.Client = getattr(gateway, port)
    answer = client.get("/iiif/presentation/folio/manifest")
    manifest = answer.json()
    assert answer.headers["Content-Type"].startswith("application/ld+json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert manifest["@context"] == "http://iiif.io/api/presentation/3/context.json"
    assert manifest["id"] == f"{client.base_url}/iiif/presentation/folio/manifest"
    assert (manifest["type"], manifest["label"]) == ("Manifest", {"none": ["folio"]})
    assert {one["label"]["none"][0]: (one["width"], one["height"]) for one in manifest["items"]} == SIZES
    for canvas in manifest["items"]:
        ((page,),) = (canvas["items"],)
        ((painting,),) = (page["items"],)
        assert (canvas["type"], page["type"], painting["type"]) == ("Canvas", "AnnotationPage", "Annotation")
        assert (painting["motivation"], painting["target"]) == ("painting", canvas["id"])
        body = painting["body"]
        assert client.get(body["id"]).headers["Content-Type"] == body["format"] == "image/jpeg"
        (service,) = body["service"]
        info = client.get(f"{service['id']}/info.json").json()
        assert (info["id"], info["type"], info["profile"]) == (service["id"], service["type"], service["profile"])


def test_a_folder_that_is_not_configured_has_no_public_manifest(gateway: Gateway) -> None:
    assert gateway.public.get("/iiif/presentation/closed/manifest").status_code == 404
    assert gateway.api.get("/iiif/presentation/closed/manifest").status_code == 200


@pytest.mark.parametrize("path", ["nothing/manifest", "folio", "folio/", "manifest", "folio/other"])
def test_what_is_no_folder_is_404(gateway: Gateway, path: str) -> None:
    assert gateway.api.get(f"/iiif/presentation/{path}").status_code == 404
