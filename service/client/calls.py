"""Every call of the API as data: what is sent, and how the answer is read. No I/O happens here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from service.api.schema.models import (
    DirectUpload,
    Events,
    Listing,
    Picture,
    Purged,
    Stats,
    StoredImage,
    TemporaryUrlResult,
    WarmProgress,
)
from service.api.schema.takedown_models import JournalEntry, Receipt
from service.client.errors import Refused

Result = TypeVar("Result")
RETRIES = 3
LONGEST_PAUSE = 30.0  # seconds between two attempts


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """A request, and how its answer is read. `repeatable` says that sending it twice does what once does;
    `sent` is called with the number of bytes of every piece of a file that has gone out. A `patient` call waits for its
    answer as long as the connection holds. One to a `foreign` URL, which is its own permission, bears no token."""

    method: str
    path: str
    read: Callable[[httpx.Response], Result]
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path | None = None
    json: Any = None
    repeatable: bool = True
    patient: bool = False
    foreign: bool = False
    sent: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Original:
    """The properties of an original; `sha256` is in hex, None if the store does not have it."""

    name: str
    bytes: int
    etag: str
    content_type: str
    sha256: str | None


def pause(response: httpx.Response | None, attempt: int) -> float | None:
    """Seconds to wait before the next attempt; None where another would do no better. `response` is None where the
    connection broke; attempts count from 1."""
    if attempt > RETRIES or (response is not None and response.status_code not in (429, 503)):
        return None
    wanted = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(wanted), LONGEST_PAUSE) if wanted.isdigit() else min(0.2 * 2**attempt, LONGEST_PAUSE)


def upload(
    name: str, body: bytes | Path, *, replace: bool = False, if_match: str | None = None, sha256: str | None = None
) -> Call[StoredImage]:
    """Store an image under a name; `sha256` in hex is verified before anything is stored."""
    headers = {"If-Match": f'"{if_match}"'} if if_match else {}
    if isinstance(body, bytes):
        sha256 = hashlib.sha256(body).hexdigest()
    if sha256:
        headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    params = {"replace": "true"} if replace else {}
    read = _model(StoredImage)
    return Call("PUT", path_of(name), read, params, headers, body, repeatable=replace)


def begin_upload(name: str, size: int, sha256: str, *, replace: bool = False) -> Call[DirectUpload]:
    """Begin an upload whose bytes go straight to the store; `sha256` in hex."""
    body = {"name": name, "bytes": size, "sha256": sha256, "replace": replace}
    return Call("POST", "/uploads", _model(DirectUpload), json=body)


def send(upload: DirectUpload, body: bytes | Path) -> Call[None]:
    """Send the bytes of an upload that was begun."""
    return Call(upload.method, upload.url, lambda _: None, headers=upload.headers, body=body, foreign=True)


def finish_upload(upload: DirectUpload, *, if_match: str | None = None) -> Call[StoredImage]:
    """Have an upload verified whose bytes were sent, and stored under its name."""
    headers = {"If-Match": f'"{if_match}"'} if if_match else {}
    return Call("POST", upload.finish, _model(StoredImage), headers=headers, repeatable=False, patient=True)


def listing(
    prefix: str = "", *, delimiter: str = "", regex: str | None = None, marker: str = "", limit: int | None = None
) -> Call[Listing]:
    """One page of names."""
    given = {"prefix": prefix, "delimiter": delimiter, "regex": regex or "", "marker": marker, "limit": limit or ""}
    return Call("GET", "/images", _model(Listing), {key: str(value) for key, value in given.items() if value})


def following(page: Listing) -> Call[Listing] | None:
    """The page after this one."""
    return None if page.next is None else Call("GET", page.next, _model(Listing))


def content(name: str, **recipe: object) -> Call[bytes]:
    """A derived image: by its derived name, or by an image's name and a recipe (w=300, format="webp")."""
    return Call("GET", path_of(name), lambda response: response.content, {k: str(v) for k, v in recipe.items()})


def at(path: str) -> Call[bytes]:
    """The bytes at a raw path with its query, which must be escaped as in a URL."""
    return Call("GET", path, lambda response: response.content)


def original(name: str) -> Call[Original]:
    """What is known of an original, without its bytes."""

    def read(response: httpx.Response) -> Original:
        headers = response.headers
        digest = headers.get("Repr-Digest", "").removeprefix("sha-256=:").rstrip(":")
        sha256 = base64.b64decode(digest).hex() if digest else None
        size = int(headers["Content-Length"])
        return Original(name, size, headers["ETag"].strip('"'), headers["Content-Type"], sha256)

    return Call("HEAD", path_of(name), read, {"original": "true"})


def metadata(name: str) -> Call[dict[str, Any]]:
    """What `@meta.json` says of an image."""
    return Call("GET", path_of(name), lambda response: dict(response.json()), {"meta": "true"})


def picture(
    name: str,
    widths: Sequence[int] = (),
    *,
    format: str = "auto",
    sizes: str = "",
    lifetime: int | None = None,
    **recipe: object,
) -> Call[Picture]:
    """What an `<img>` needs to show an image at these widths, by default those of the ladder: `src`, `srcset`, `sizes`,
    `width`, `height` and a `placeholder`. Its URLs are signed where that is needed (scope `sign`)."""
    listed = ",".join(map(str, widths))
    given = {"w": listed, "format": format, "sizes": sizes, "lifetime": lifetime or "", **recipe}
    params = {key: str(value) for key, value in given.items() if value != ""}
    return Call("GET", f"{path_of(name)}/@srcset.json", _model(Picture), params)


def temporary_url(
    name: str, *, original: bool = False, lifetime: int | None = None, inline: bool = False
) -> Call[TemporaryUrlResult]:
    """A temporary URL of a derived image (by its derived name), or of the original."""
    given = {"url": "true", "original": original, "inline": inline, "lifetime": lifetime or ""}
    params = {key: str(value).lower() for key, value in given.items() if value}
    return Call("GET", path_of(name), _model(TemporaryUrlResult), params)


def temporary_urls(
    names: Sequence[str], *, original: bool = False, lifetime: int | None = None, inline: bool = False
) -> Call[list[TemporaryUrlResult]]:
    """Temporary URLs of many images; each result holds a URL or a problem."""
    body = {"names": list(names), "original": original, "lifetime": lifetime, "inline": inline}
    read = TypeAdapter(list[TemporaryUrlResult])
    return Call("POST", "/urls", lambda response: read.validate_json(response.content), json=body)


def delete(name: str, *, if_match: str | None = None) -> Call[None]:
    """Remove an image and all that was derived of it."""
    headers = {"If-Match": f'"{if_match}"'} if if_match else {}
    return Call("DELETE", path_of(name), lambda _: None, headers=headers, repeatable=False)


def take_down(name: str, *, if_match: str | None = None) -> Call[Receipt]:
    """Remove an image and all that was derived of it; what was removed where. Asked again, it says what was left."""
    headers = {"If-Match": f'"{if_match}"'} if if_match else {}
    return Call("DELETE", path_of(name), _model(Receipt), {"receipt": "true"}, headers, patient=True)


def journal_entry(entry: str) -> Call[JournalEntry]:
    """Whether the node that answers has settled an entry of the journal."""
    return Call("GET", "/journal", _model(JournalEntry), {"entry": entry})


def purge(names: Sequence[str] | None = None, *, prefix: str | None = None, everything: bool = False) -> Call[Purged]:
    """Remove derived images of these images, of a prefix, or of all."""
    given = {"names": None if names is None else list(names), "prefix": prefix, "all": everything or None}
    body = {key: value for key, value in given.items() if value is not None}
    return Call("POST", "/purge", _model(Purged), json=body, patient=True)


def events(after: str = "", limit: int = 1000) -> Call[Events]:
    """The changes that the node which answers has made after the cursor `next` of an earlier answer."""
    return Call("GET", "/events", _model(Events), {"after": after, "limit": str(limit)})


def stats() -> Call[Stats]:
    """The state of the caches of the node that answers."""
    return Call("GET", "/stats", _model(Stats))


def warm(recipes: Sequence[str], prefix: str = "", *, ladder: bool = False) -> Call[WarmProgress]:
    """Make derived images ahead of time. The answer comes line by line, for as long as it is read: a driver's
    `warm` gives them."""
    return Call(
        "POST",
        "/warm",
        _model(WarmProgress),
        json={"recipes": list(recipes), "prefix": prefix, **({"ladder": True} if ladder else {})},
    )


def path_of(name: str) -> str:
    """The path of an image, escaped. Raises Refused."""
    if not {".", ".."}.isdisjoint(name.split("/")):  # as a URL it would be resolved, and name another image
        raise Refused("the name has a segment '.' or '..'")
    return f"/images/{quote(name, safe='/!$&()*+,;=:@-._~')}"


def _model(model: type[Result]) -> Callable[[httpx.Response], Result]:
    adapter = TypeAdapter(model)
    return lambda response: adapter.validate_json(response.content)
