"""Swift's headers and listing rows, and the objects they describe."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from service.store.base import StoredObject
from service.store.errors import NotFound, Unholdable
from service.store.swift.connections import NotSwift

LONGEST_NAME = 1024  # bytes, Swift's max_object_name_length
_LONGEST_VALUE = 256  # bytes, Swift's max_meta_value_length
_META = "x-object-meta-"
_PLAIN = "/=,.:;@+*()!$&'"  # what is not percent-encoded in values, besides letters and digits


def reachable(name: str) -> str:
    """The name. Raises NotFound for what the HTTP client would turn into another name (`a/../b` into `b`)."""
    if any(segment in ("", ".", "..") for segment in name.split("/")):
        raise NotFound(f"there is no {name!r}")
    return name


def holdable(name: str) -> str:
    """The name. Raises Unholdable where no object can have it."""
    try:
        reachable(name)
    except NotFound as error:
        raise Unholdable(f"{name!r} cannot be the name of an object") from error
    if len(name.encode()) > LONGEST_NAME:
        raise Unholdable(f"the name has more than {LONGEST_NAME} bytes, Swift's limit")
    return name


@contextlib.contextmanager
def parsing() -> Iterator[None]:
    """Raise NotSwift for any error while an answer is parsed."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise NotSwift(f"an answer that is not as Swift's are ({type(error).__name__}: {error})") from error


def rounds_down(headers: Mapping[str, str]) -> bool:
    """Whether a container's answer to HEAD is one of Ceph's gateway, which rounds Last-Modified down, Swift up."""
    return "x-container-bytes-used-actual" in headers


def from_headers(
    name: str, headers: Mapping[str, str], *, size: int | None = None, rounded_down: bool = False
) -> StoredObject:
    """The object that an answer to GET or HEAD describes; for one to PUT its size is given. Raises NotSwift.

    With `rounded_down` the answer's Last-Modified is the whole second before the change, and no other time is in it.
    """
    with parsing():
        return StoredObject(
            name,
            int(headers["content-length"]) if size is None else size,
            etag=headers["etag"].strip('"'),  # quoted for segmented objects only
            modified=_modified(headers) + rounded_down,
            content_type=headers.get("content-type", "application/octet-stream"),
            metadata=_read_metadata(headers),
            ends=int(headers["x-delete-at"]) if "x-delete-at" in headers else None,
        )


def from_row(row: Mapping[str, Any]) -> StoredObject:
    """The object that a row of a listing describes, equal to what HEAD gives but for the metadata. Called `parsing`: a
    listing has many rows."""
    at = datetime.fromisoformat(row["last_modified"]).replace(tzinfo=UTC)  # with a Z at its end in Ceph's
    return StoredObject(
        str(row["name"]),
        int(row["bytes"]),
        etag=str(row.get("slo_etag") or row["hash"]).strip('"'),
        modified=float(math.ceil(at.timestamp())),  # Last-Modified has whole seconds, rounded up
        content_type=row.get("content_type", "application/octet-stream"),
    )


def is_folder(found: StoredObject) -> bool:
    """Whether this is what Swift's own tools and CloudFuse store for a folder: nothing, of a type that says so."""
    return found.bytes == 0 and found.content_type.partition(";")[0].strip() == "application/directory"


def _modified(headers: Mapping[str, str]) -> float:
    """The whole second after the last change, as a listing tells it. Swift rounds Last-Modified up, and Ceph's gateway
    rounds it down, so it is taken from X-Timestamp where the two mean the same moment."""
    told = parsedate_to_datetime(headers["last-modified"]).timestamp()
    exact = float(headers.get("x-timestamp", told))
    return float(math.ceil(exact)) if abs(exact - told) <= 1 else told


def expiry_headers(seconds: int | None, ends: int | None) -> dict[str, str]:
    """The header that makes Swift delete an object after so many seconds, or at that time if it comes first."""
    if ends is not None and (not seconds or ends <= time.time() + seconds):
        return {"X-Delete-At": str(ends)}
    return {"X-Delete-After": str(seconds)} if seconds else {}


def newest_headers(newest: bool) -> dict[str, str]:
    """The header that makes Swift ask all replicas, and answer with the newest version that they have."""
    return {"X-Newest": "true"} if newest else {}


def metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """User metadata as headers: percent-encoded, and values that are too long for one header in several."""
    headers: dict[str, str] = {}
    for key, value in metadata.items():
        for number, piece in enumerate(_pieces(value)):
            headers[f"{_META}{key.lower()}" + (f"--{number}" if number else "")] = piece
    return headers


def _pieces(value: str) -> Iterator[str]:
    whole = quote(value, safe=_PLAIN)
    if len(whole) <= _LONGEST_VALUE:
        yield whole
        return
    piece = ""
    for character in value:
        encoded = quote(character, safe=_PLAIN)
        if len(piece) + len(encoded) > _LONGEST_VALUE:
            yield piece
            piece = ""
        piece += encoded
    yield piece


def _read_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    # python-swiftclient has decoded the values already.
    found = {key.lower()[len(_META) :]: value for key, value in headers.items() if key.lower().startswith(_META)}
    metadata: dict[str, str] = {}
    for key in (key for key in found if "--" not in key):
        following = (found.get(f"{key}--{number}") for number in range(1, len(found)))
        metadata[key] = found[key] + "".join(piece for piece in following if piece is not None)
    return metadata
