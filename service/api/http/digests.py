"""Verify the digests that a sender announces: Content-MD5 (RFC 1864), Digest (RFC 3230), Content-Digest and Repr-Digest
(RFC 9530). Algorithms that are not known here are passed over, as these RFCs ask."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from gateway.errors import Refused
from service.api.http.errors import DigestMismatch
from service.uploads.incoming import Incoming

ALGORITHMS = {"md5": "md5", "sha": "sha1", "sha-256": "sha256", "sha-512": "sha512"}
_LENGTHS = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}
_STRUCTURED = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):\s*(?:;.*)?")
_PLAIN = re.compile(r"\s*([A-Za-z0-9-]+)=([A-Za-z0-9+/=]*)\s*")

Expected = list[tuple[str, str, bytes]]
"""Header, algorithm as hashlib names it, digest."""


def expected(headers: Mapping[str, str]) -> Expected:
    """What these headers say of the bytes. Raises Refused for a header that cannot be read."""
    found: Expected = []
    if "Content-MD5" in headers:
        found.append(("Content-MD5", "md5", _decode("Content-MD5", "md5", headers["Content-MD5"].strip())))
    for header, form in (("Digest", _PLAIN), ("Content-Digest", _STRUCTURED), ("Repr-Digest", _STRUCTURED)):
        if header in headers:
            found += _dictionary(header, form, headers[header])
    return found


def verify(said: Expected, upload: Incoming) -> None:
    """Raise DigestMismatch unless the upload is what was said; its `hashes` must hold every algorithm of `said`."""
    for header, algorithm, digest in said:
        if upload.digest(algorithm) != digest:
            raise DigestMismatch(f"{header}: the bytes that arrived have another {algorithm}")


def _dictionary(header: str, form: re.Pattern[str], text: str) -> Iterator[tuple[str, str, bytes]]:
    for item in text.split(","):
        match = form.fullmatch(item)
        if match is None:
            example = "SHA-256=BASE64" if form is _PLAIN else "sha-256=:BASE64:"
            raise Refused(400, f"{header}: must be like {example}")
        algorithm = ALGORITHMS.get(match[1].lower())
        if algorithm:
            yield header, algorithm, _decode(header, algorithm, match[2])


def _decode(header: str, algorithm: str, text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _LENGTHS[algorithm]:
        raise Refused(400, f"{header}: must hold {_LENGTHS[algorithm]} bytes of {algorithm} in base64")
    return digest
