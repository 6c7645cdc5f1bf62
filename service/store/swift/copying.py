"""Copies that Swift makes by itself, of the very object that is meant.

https://docs.openstack.org/swift/latest/api/ (server-side copy): conditional headers of such a request hold for the
source, so `If-Match` names the ETag of what was verified, and no precondition of the copy's own name can be sent.
"""

from __future__ import annotations

from urllib.parse import quote

from swiftclient.exceptions import ClientException

from service.store.errors import Corrupt, NotArrived, StoreError, Unholdable
from service.store.swift.connections import is_absent


def copy_headers(source: str, etag: str) -> dict[str, str]:
    """The headers that make a PUT without a body a copy of `source` (CONTAINER/NAME), if that has this ETag. Nothing of
    its metadata is taken over."""
    return {"X-Copy-From": quote(f"/{source}"), "X-Fresh-Metadata": "true", "If-Match": etag}


def copy_failure(error: ClientException, name: str) -> StoreError | ClientException:
    """What a copy that failed means, where it means something of its own."""
    if error.http_status == 412:
        return Corrupt(f"what was to be copied to {name!r} is not what was verified")
    if is_absent(error):
        return NotArrived("the upload is gone: it has expired, or was finished already")
    if error.http_status in (400, 414):
        return Unholdable(f"Swift refuses {name!r} or its metadata ({error.http_status})")
    return error
