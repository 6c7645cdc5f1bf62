"""Everything the API answers, once: the routes are made of this table, and so is the API's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.settings import Scope
from service.api.http.problems import Handler
from service.api.resources.capabilities import formats, presets
from service.api.resources.health import health, live
from service.api.resources.images import delete_image, get_image
from service.api.resources.listing import NDJSON, list_images
from service.api.resources.purge import purge
from service.api.resources.stats import stats
from service.api.resources.uploads import upload_image
from service.api.resources.urls import make_urls
from service.api.resources.warm import warm_images
from service.api.schema import models
from service.api.schema.docs import docs_file, docs_page
from service.api.schema.request_models import Asking


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation answers with: what it means, and content types with their models, if JSON."""

    status: int
    means: str
    content: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `scopes` are what a token needs, any of them; `problems` the codes it may answer with.

    Handlers that need more than one scope, or another for some queries, ask for it themselves.
    """

    name: str
    method: str
    path: str
    handler: Handler | Asking[Any]
    answers: tuple[Answer, ...]
    scopes: tuple[Scope, ...] = ()
    problems: tuple[str, ...] = ()
    takes_image: bool = False


JSON = "application/json"
VALIDATORS = ("ETag", "Last-Modified")
STORE = ("store-unavailable",)
BODY = ("malformed", "slow-sender", "too-large", "unsupported-body", "expectation-failed")
ENGINE = ("crashed", "disk", "failed", "not-an-image", "saturated", "timed-out", "too-large", "undecodable")
UPLOAD = (
    *ENGINE, *STORE, "malformed", "digest-mismatch", "name-exists", "precondition-failed", "slow-sender", "store-full",
    "too-many", "unholdable-name", "read-only-store", "unsupported-body", "expectation-failed",
)  # fmt: skip
GET_PROBLEMS = (
    *ENGINE, *STORE, "corrupt-transfer", "malformed", "no-such-image", "no-temporary-urls", "precondition-failed",
    "requested-range-not-satisfiable", "too-many", "unsatisfiable",
)  # fmt: skip
UPLOADED = (
    Answer(201, "stored; a list where several files were", {JSON: (models.StoredImage, list[models.UploadResult])},
           ("Location", "ETag")),
    Answer(207, "some of several files were not stored", {JSON: list[models.UploadResult]}),
)  # fmt: skip
FOUND = (
    Answer(
        200,
        "the image; or metadata, a temporary URL, a list or a zip of several images",
        {
            "image/*": bytes,
            JSON: (
                dict[str, Any],
                models.TemporaryUrlResult,
                list[models.MetadataResult],
                list[models.TemporaryUrlResult],
            ),
            "application/zip": bytes,
        },
        (*VALIDATORS, "Cache-Control", "X-Cache", "Vary", "Link", "Repr-Digest"),
    ),
    Answer(206, "the range that was asked for", {"image/*": bytes, JSON: bytes}, (*VALIDATORS, "Content-Range")),
    Answer(304, "it is what the client has", headers=VALIDATORS),
    Answer(307, "a large image, where the configuration redirects to a temporary URL of it", headers=("Location",)),
)
LISTED = (
    Answer(200, "a page, or lines", {JSON: models.Listing, NDJSON: models.ListedImage}, ("Link",)),
)  # fmt: skip
URLS = (Answer(200, "a result for each name", {JSON: list[models.TemporaryUrlResult]}),)
HEALTHY = Answer(200, "it is", {JSON: models.Health})

OPERATIONS: tuple[Operation, ...] = (
    Operation("listImages", "GET", "/images", list_images, LISTED, ("read",), ("malformed", *STORE)),
    Operation("getImage", "GET", "/images/{name}", get_image, FOUND, ("read", "url"), GET_PROBLEMS, takes_image=True),
    Operation("postImage", "POST", "/images/{name}", upload_image, UPLOADED, ("write",), UPLOAD),
    Operation("putImage", "PUT", "/images/{name}", upload_image, UPLOADED, ("write",), UPLOAD),
    Operation(
        "deleteImage",
        "DELETE",
        "/images/{name}",
        delete_image,
        (Answer(204, "it is gone"),),
        ("delete",),
        ("malformed", "no-such-image", "precondition-failed", "read-only-store", *STORE),
    ),
    Operation(
        "makeUrls",
        "POST",
        "/urls",
        make_urls,
        URLS,
        ("url",),
        BODY,
    ),
    Operation(
        "purge",
        "POST",
        "/purge",
        purge,
        (Answer(200, "what was removed", {JSON: models.Purged}),),
        ("delete",),
        (*BODY, *STORE),
    ),
    Operation(
        "warm",
        "POST",
        "/warm",
        warm_images,
        (Answer(200, "lines of progress", {NDJSON: models.WarmProgress}),),
        ("write",),
        (*BODY, *STORE, "saturated"),
    ),
    Operation("getStats", "GET", "/stats", stats, (Answer(200, "numbers", {JSON: models.Stats}),), ("read",)),
    Operation("getFormats", "GET", "/formats", formats, (Answer(200, "formats", {JSON: models.Formats}),), ("read",)),
    Operation(
        "getPresets", "GET", "/presets", presets, (Answer(200, "recipes by name", {JSON: dict[str, str]}),), ("read",)
    ),
    Operation("getLiveness", "GET", "/health/live", live, (HEALTHY,)),
    Operation(
        "getReadiness", "GET", "/health/ready", health, (HEALTHY, Answer(503, "it is not", {JSON: models.Health}))
    ),
    Operation("getDocs", "GET", "/docs", docs_page, (Answer(200, "a page for people", {"text/html": bytes}),)),
    Operation(
        "getDocsFile",
        "GET",
        "/docs/{name}",
        docs_file,
        (Answer(200, "a part of that page", {"text/*": bytes}),),
        (),
        ("no-such-resource",),
    ),
)
