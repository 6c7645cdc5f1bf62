"""The operations of the API, each once. The routes, the API's document, the access without a token, the kinds in
metrics and what is traced are all made of this table; `service.api.routes` names the handler of each operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.dialect_settings import Dialects
from service.api.schema import models, page_models, takedown_models
from service.api.schema.models import NDJSON
from service.api.schema.operation import Answer, Kind, Operation

DERIVED, METADATA = Kind("derived"), Kind("metadata")
UPLOAD, DELETE, URL, STATS = Kind("upload"), Kind("delete"), Kind("url"), Kind("stats")
LIST, SEVERAL = Kind("list", long=True), Kind("several", long=True, many=True)
DIALECTS = {name: Kind(name) for name in Dialects.names()}
"""By the word of a dialect."""
WARM, PURGE = Kind("warm", long=True, many=True), Kind("purge", long=True, many=True)

JSON = "application/json"
VALIDATORS = ("ETag", "Last-Modified")
STORE = ("store-forbids", "store-unavailable")
BODY = ("malformed", "slow-sender", "too-large", "unsupported-body", "expectation-failed")
ENGINE = (
    "crashed",
    "disk",
    "failed",
    "interrupted",
    "not-an-image",
    "saturated",
    "timed-out",
    "too-large",
    "undecodable",
)
HOOK = ("refused-by-hook", "hook-failed")
FINISH_PROBLEMS = (
    *ENGINE, *STORE, "corrupt-transfer", "digest-mismatch", "incoming-full", "malformed", "name-exists",
    "no-direct-uploads", "no-such-upload", "no-temporary-urls", "not-arrived", "precondition-failed", "read-only-store",
    "size-mismatch", "store-full", "unholdable-name", "upload-expired",
)  # fmt: skip
INCOMING_PROBLEMS = (
    *STORE, "cross-site", "disk", "expectation-failed", "incoming-full", "malformed", "no-temporary-urls",
    "read-only-store", "size-mismatch", "slow-sender", "store-full", "too-large", "unauthorised", "unknown-host",
    "unsupported-body", "no-direct-uploads", "upload-expired",
)  # fmt: skip
UPLOAD_PROBLEMS = (
    *ENGINE, *STORE, *HOOK, "malformed", "digest-mismatch", "name-exists", "precondition-failed", "slow-sender",
    "store-full", "quota-reached", "too-many", "unholdable-name", "read-only-store", "unsupported-body",
    "expectation-failed",
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
                models.Picture,
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

OF_IMAGE: Mapping[str, Kind] = {"original": Kind("original"), "meta": METADATA, "url": URL, "regex": SEVERAL}

OPERATIONS: tuple[Operation, ...] = (
    Operation("listImages", "GET", "/images", LISTED, ("read",), ("malformed", *STORE), kind=LIST),
    Operation(
        "getImage",
        "GET",
        "/images/{name}",
        FOUND,
        ("read", "url"),
        GET_PROBLEMS,
        takes_image=True,
        kind=DERIVED,
        kinds=OF_IMAGE,
    ),
    Operation("postImage", "POST", "/images/{name}", UPLOADED, ("write",), UPLOAD_PROBLEMS, kind=UPLOAD),
    Operation("putImage", "PUT", "/images/{name}", UPLOADED, ("write",), UPLOAD_PROBLEMS, kind=UPLOAD),
    Operation(
        "deleteImage",
        "DELETE",
        "/images/{name}",
        (Answer(204, "it is gone"), Answer(200, "with `receipt`: what was removed", {JSON: takedown_models.Receipt})),
        ("delete",),
        ("malformed", "no-such-image", "precondition-failed", "read-only-store", *STORE),
        kind=DELETE,
    ),
    Operation(
        "beginUpload",
        "POST",
        "/uploads",
        (Answer(201, "a temporary URL for its bytes", {JSON: models.DirectUpload}, ("Location",)),),
        ("write",),
        (*BODY, *STORE, "name-exists", "no-direct-uploads", "no-temporary-urls", "unholdable-name"),
        kind=UPLOAD,
    ),
    Operation(
        "finishUpload",
        "POST",
        "/uploads/{id}",
        (Answer(201, "stored", {JSON: models.StoredImage}, ("Location", "ETag")),),
        ("write",),
        (*FINISH_PROBLEMS, *HOOK),
        sends="nothing",
        kind=UPLOAD,
    ),
    Operation(
        "putIncoming",
        "PUT",
        "/incoming/{object}",
        (Answer(201, "received; POST /uploads/{id} finishes the upload"),),
        problems=INCOMING_PROBLEMS,
        sends="bytes",
        open=True,
        kind=UPLOAD,
    ),
    Operation("makeUrls", "POST", "/urls", URLS, ("url",), BODY, kind=URL),
    Operation(
        "purge",
        "POST",
        "/purge",
        (Answer(200, "what was removed", {JSON: models.Purged}),),
        ("delete",),
        (*BODY, *STORE),
        kind=PURGE,
    ),
    Operation(
        "warm",
        "POST",
        "/warm",
        (Answer(200, "lines of progress", {NDJSON: models.WarmProgress}),),
        ("write",),
        (*BODY, *STORE, "saturated"),
        kind=WARM,
    ),
    Operation("getStats", "GET", "/stats", (Answer(200, "numbers", {JSON: models.Stats}),), ("read",), kind=STATS),
    Operation("getFormats", "GET", "/formats", (Answer(200, "formats", {JSON: models.Formats}),), ("read",)),
    Operation("getPresets", "GET", "/presets", (Answer(200, "recipes by name", {JSON: dict[str, str]}),), ("read",)),
    Operation(
        "getCapabilities", "GET", "/capabilities", (Answer(200, "what there is", {JSON: page_models.Capabilities}),)
    ),
    Operation(
        "readNames",
        "POST",
        "/names",
        (Answer(200, "a result for each name", {JSON: list[page_models.NameResult]}),),
        ("read", "url"),
        BODY,
    ),
    Operation(
        "archiveChosen",
        "POST",
        "/archive",
        (Answer(200, "the archive", {"application/zip": bytes}),),
        ("read",),
        (*BODY, "too-many"),
        kind=SEVERAL,
    ),
    Operation(
        "getProblems",
        "GET",
        "/problems",
        (Answer(200, "the latest first", {JSON: page_models.RecentProblems}),),
        ("read",),
        kind=STATS,
    ),
    Operation(
        "getEvents",
        "GET",
        "/events",
        (Answer(200, "the oldest first", {JSON: models.Events}),),
        ("read",),
        ("malformed",),
        kind=STATS,
    ),
    Operation(
        "getJournalEntry",
        "GET",
        "/journal",
        (Answer(200, "whether it is settled", {JSON: takedown_models.JournalEntry}),),
        ("read", "delete"),
        ("malformed",),
        kind=STATS,
    ),
    Operation(
        "getMetrics", "GET", "/metrics", (Answer(200, "numbers", {"text/plain": str}),), ("metrics", "read"), kind=None
    ),
    Operation("getLiveness", "GET", "/health/live", (HEALTHY,), open=True, kind=None),
    Operation(
        "getReadiness",
        "GET",
        "/health/ready",
        (HEALTHY, Answer(503, "it is not", {JSON: models.Health})),
        open=True,
        kind=None,
    ),
    Operation("getDocument", "GET", "/openapi.json", (Answer(200, "OpenAPI 3.1", {JSON: dict[str, Any]}),), open=True),
    Operation("getDocs", "GET", "/docs", (Answer(200, "a page for people", {"text/html": bytes}),), open=True),
    Operation(
        "getDocsFile",
        "GET",
        "/docs/{name}",
        (Answer(200, "a part of that page", {"text/*": bytes}),),
        problems=("no-such-resource",),
        open=True,
    ),
    Operation(
        "getPage",
        "GET",
        "/",
        (Answer(200, "the workbench", {"text/html": bytes}),),
        problems=("no-such-resource",),
        open=True,
        kind=None,
    ),
    Operation(
        "getPageFile",
        "GET",
        "/page/{name}",
        (Answer(200, "a part of the workbench", {"text/*": bytes, "image/svg+xml": bytes}),),
        problems=("no-such-resource",),
        open=True,
        kind=None,
    ),
)

FRONT: tuple[Operation, ...] = (
    Operation("getDerived", "GET", "/images/{name}", kind=DERIVED, kinds=OF_IMAGE),
    Operation("getHealth", "GET", "/health", kind=None),
    Operation("takeCounts", "POST", "/counts", kind=None),
    Operation("takeUsed", "POST", "/used", kind=None),
)
"""What nginx asks over the unix socket. It is no part of the API, and has no document."""
