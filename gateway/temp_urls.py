"""Sign and check temporary URLs of the directory store, as Swift signs its own. Twin of temp_urls.lua.

    /temp/CONTAINER/NAME?temp_url_sig=HEX&temp_url_expires=TIME[&filename=TEXT][&inline]

CONTAINER is `originals` or `derived`. The signature is the HMAC of method, end time and decoded path, a line each:
https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote as percent_encode

from gateway.access import end_of
from gateway.errors import Refused
from gateway.filenames import visible
from gateway.names import check_image, split_path, split_query
from gateway.rules import CONTENT_TYPES

PREFIX = "/temp/"
ORIGINALS = "originals"
DERIVED = "derived"

_DIGESTS = {40: "sha1", 64: "sha256", 128: "sha512"}  # by the hexadecimal digits of a signature
_METHODS = {"GET": ("GET",), "HEAD": ("HEAD", "GET")}  # what may be signed, for the method of a request
_LEAF = re.compile(r"@[a-z0-9.,=:_-]+")
_HEX = re.compile(r"[0-9a-f]+")
_ISO_8601 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_PATH = "must be /temp/originals/NAME or /temp/derived/NAME/@RECIPE.FORMAT, spelled so"


@dataclass(frozen=True)
class Grant:
    """What a valid URL gives: an object until `expires` (seconds since the epoch), and what a browser does with it."""

    container: str
    name: str
    expires: int
    disposition: str


def path_of(container: str, name: str) -> str:
    """The path of a URL, decoded, as it is signed."""
    return f"{PREFIX}{container}/{name}"


def sign(method: str, expires: int, path: str, key: str, digest: str) -> str:
    """The signature of a decoded path in hexadecimal digits; `digest` is sha1, sha256 or sha512."""
    return hmac.new(key.encode(), f"{method}\n{expires}\n{path}".encode(), digest).hexdigest()


def admit(method: str, path: str, query: str, keys: Sequence[str], now: float) -> Grant:
    """What the URL of this raw path and query gives at `now` (seconds since the epoch).

    Raises Refused: 400 where the path names no object, 401 where the signature is missing, wrong or expired, 405 where
    the method is neither GET nor HEAD.
    """
    if method not in _METHODS:
        raise Refused(405, "only GET and HEAD are answered here")
    container, name = _object(path)
    parameters = split_query(query)
    signature, ends = parameters.get("temp_url_sig"), parameters.get("temp_url_expires")
    if not signature or not ends:
        raise Refused(401, "a URL here needs temp_url_sig and temp_url_expires; the API gives such URLs")
    expires = _time(ends)
    if expires is None:
        raise Refused(401, "temp_url_expires: must be seconds since the epoch, or YYYY-MM-DDThh:mm:ssZ")
    if expires < now:
        raise Refused(401, "temp_url_expires: the URL has expired")
    if not _is_signed(method, expires, path_of(container, name), signature, keys):
        raise Refused(401, "temp_url_sig: the signature is wrong for this URL")
    disposition = _disposition(name, parameters.get("filename", ""), inline="inline" in parameters)
    return Grant(container, name, expires, disposition)


def media_type(name: str) -> str:
    """The Content-Type of a derived image or of metadata, which its name gives."""
    extension = name.rpartition(".")[2]
    return "application/json" if extension == "json" else CONTENT_TYPES.get(extension, "application/octet-stream")


def cache_control(expires: int, max_age: int, now: int) -> str:
    """Cache-Control of an answer: the browser alone keeps it, and no longer than the URL holds."""
    return f"private, max-age={max(0, min(max_age, expires - now))}"


def _object(path: str) -> tuple[str, str]:
    """Container and name that a raw path means. Raises Refused."""
    if not path.startswith(PREFIX):
        raise Refused(400, f"the path {_PATH}")
    container, *segments = split_path(path.removeprefix(PREFIX))
    if container == ORIGINALS:
        return container, check_image("/".join(segments))
    if container != DERIVED or not segments or not _LEAF.fullmatch(segments[-1]):
        raise Refused(400, f"the path {_PATH}")
    return container, f"{check_image('/'.join(segments[:-1]))}/{segments[-1]}"


def _time(text: str) -> int | None:
    """Seconds since the epoch, given as such or in ISO 8601."""
    if not _ISO_8601.fullmatch(text):
        return end_of(text)
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _is_signed(method: str, expires: int, path: str, signature: str, keys: Sequence[str]) -> bool:
    digest = _DIGESTS.get(len(signature))
    if digest is None or not _HEX.fullmatch(signature):
        return False
    expected = [sign(signed, expires, path, key, digest) for key in keys for signed in _METHODS[method]]
    return any(hmac.compare_digest(one, signature) for one in expected)


def _disposition(name: str, filename: str, *, inline: bool) -> str:
    """Content-Disposition as Swift gives it, with the name in both of its forms (RFC 6266, RFC 8187)."""
    kind = "inline" if inline else "attachment"
    if inline and not filename:
        return kind
    given = visible(filename or name.rpartition("/")[2])
    return f"{kind}; filename=\"{percent_encode(given, safe=' /')}\"; filename*=UTF-8''{percent_encode(given)}"
