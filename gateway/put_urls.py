"""Sign and check temporary URLs to PUT uploads to the API port, where the store is a directory.

    /incoming/NAME?temp_url_sig=HEX&temp_url_expires=TIME

They are signed as Swift signs its own: https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from gateway.access import end_of
from gateway.errors import Refused
from gateway.names import split_query
from gateway.temp_urls import sign

PREFIX = "/incoming/"


def put_url(name: str, expires: int, key: str, digest: str) -> str:
    """The path and query; `name` needs no escaping, `digest` is sha1, sha256 or sha512."""
    path = PREFIX + name
    return f"{path}?temp_url_sig={sign('PUT', expires, path, key, digest)}&temp_url_expires={expires}"


def admit(path: str, query: str, keys: Sequence[str], digest: str, now: float) -> str:
    """The name that this raw path and query let a client PUT at `now` (seconds since the epoch).

    Raises Refused: 401 where the signature is missing or wrong, 410 where the URL has expired.
    """
    parameters = split_query(query)
    signature, expires = parameters.get("temp_url_sig", ""), end_of(parameters.get("temp_url_expires", ""))
    if not signature or expires is None:
        raise Refused(401, "a URL here needs temp_url_sig and temp_url_expires; POST /uploads gives such URLs")
    expected = [sign("PUT", expires, path, key, digest) for key in keys]
    if not any(hmac.compare_digest(one.encode(), signature.encode("utf-8", "surrogateescape")) for one in expected):
        raise Refused(401, "temp_url_sig: the signature is wrong for this URL")
    if expires < now:
        raise Refused(410, "temp_url_expires: the URL has expired; ask for a new one with POST /uploads")
    return path.removeprefix(PREFIX)
