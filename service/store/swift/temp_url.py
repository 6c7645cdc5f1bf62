"""Temporary URLs: the holder may GET one object, without any other permission, until it expires.

https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import threading
import time
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from swiftclient.exceptions import ClientException

from service.store.base import TemporaryUrl
from service.store.errors import NoTemporaryUrls, NotFound
from service.store.swift.settings import TempUrlSettings
from service.store.swift.swiftclient_private import http_of

PROVED = 60.0
"""Seconds for which a key that Swift has accepted is not tried again. Another client may change it meanwhile."""


def sign(storage_url: str, container: str, name: str, expires: int, key: str, digest: str, method: str = "GET") -> str:
    """The URL to GET or PUT an object (either allows HEAD) until `expires`, in seconds since the epoch.

    The signature covers the decoded path; the URL carries it percent-encoded.
    """
    host, path = storage_url.removesuffix(urlsplit(storage_url).path), unquote(urlsplit(storage_url).path)
    path = f"{path}/{container}/{name}"
    signature = hmac.new(key.encode(), f"{method}\n{expires}\n{path}".encode(), digest).hexdigest()
    return f"{host}{quote(path)}?temp_url_sig={signature}&temp_url_expires={expires}"


class Signer:
    """Signs URLs to the objects of one container, with a key of the container or of its account."""

    def __init__(self, settings: TempUrlSettings, container: str) -> None:
        self._settings = settings
        self._container = container
        self._lock = threading.Lock()
        self._key = ""
        self._all: tuple[str, ...] = ()
        self._proved = float("-inf")  # when Swift has accepted the key, monotonic
        self._storage_url = ""  # of that time

    def prepare(self, connection: Any) -> None:
        """Learn the key, and set it where there is none. Raises NoTemporaryUrls when that is not allowed."""
        with self._lock:
            present = self._read(connection)
            wanted = self._settings.keys
            if not wanted and not any(present):
                wanted = (secrets.token_hex(32),)
            changes = _changes(present, wanted)
            if changes:
                self._write(connection, changes)
            self._key = wanted[0] if wanted else present[0] or present[1]
            self._all = tuple(dict.fromkeys(filter(None, (self._key, *wanted, *present))))

    def url(self, connection: Any, name: str, *, lifetime: float, filename: str | None, inline: bool) -> TemporaryUrl:
        """A URL that Swift was seen to answer: the object is there, and the key is one that it accepts."""
        expires = int(time.time() + min(lifetime, self._settings.max_lifetime))
        for refreshed in (False, True):
            if refreshed or not self._key:
                self.prepare(connection)  # another client may have changed the key
            url = sign(connection.url, self._container, name, expires, self._key, self._settings.digest)
            if filename is not None:
                url += f"&filename={quote(filename, safe='')}"
            if inline:
                url += "&inline"
            if self._is_answered(connection, url, name):
                return TemporaryUrl(url, expires)
        raise NoTemporaryUrls(self._refused(connection))

    def put_url(self, connection: Any, name: str, expires: int) -> str:
        """A URL to PUT an object that is not there, signed with a key that Swift accepts now."""
        proved = self.proved_put_url(name, expires)  # by a call that this one waited for
        if proved:
            return proved
        for refreshed in (False, True):
            if refreshed or not self._key:
                self.prepare(connection)
            url = sign(connection.url, self._container, name, expires, self._key, self._settings.digest, "PUT")
            with contextlib.suppress(NotFound):
                if not self._is_answered(connection, url, name, "HEAD"):
                    continue
            self._storage_url, self._proved = connection.url, time.monotonic()
            return url
        raise NoTemporaryUrls(self._refused(connection))

    def proved_put_url(self, name: str, expires: int) -> str | None:
        """The same without a question to Swift, which has accepted the key a moment ago; None where it has not."""
        if time.monotonic() - self._proved >= PROVED:
            return None
        return sign(self._storage_url, self._container, name, expires, self._key, self._settings.digest, "PUT")

    @property
    def known(self) -> tuple[str, ...]:
        """The keys that were valid when Swift was asked last, the one that signs first; empty before that."""
        return self._all

    def learn(self, connection: Any) -> tuple[str, ...]:
        """The keys that are valid now: those of this node, and those that Swift says others have set."""
        if not self._key:
            self.prepare(connection)
            return self._all
        with self._lock:
            present = self._read(connection)
            self._all = tuple(dict.fromkeys(filter(None, (self._key, *self._settings.keys, *present))))
        return self._all

    def _refused(self, connection: Any) -> str:
        return (
            f"Swift refuses URLs to {self._container!r} that are signed with a key of the {self._settings.scope} and "
            f"{self._settings.digest}: {self._obstacle(connection)}"
        )

    def _obstacle(self, connection: Any) -> str:
        """What is in the way of a URL whose signature is refused, as far as the cluster says in `/info`."""
        parts = urlsplit(connection.url)
        try:
            offered = connection.get_capabilities(f"{parts.scheme}://{parts.netloc}/info")
        except (ClientException, OSError, ValueError):
            return "try another scope or digest (store.swift.temp_url)"
        if "tempurl" not in offered:
            return "this cluster says of no temporary URLs at all"
        digests = offered["tempurl"].get("allowed_digests") or []
        if digests and self._settings.digest not in digests:
            return f"it takes the digests {', '.join(sorted(digests))}: set store.swift.temp_url.digest to one of them"
        other = "account" if self._settings.scope == "container" else "container"
        return f"the digest is one that it takes, so try store.swift.temp_url.scope: {other}"

    def _is_answered(self, connection: Any, url: str, name: str, method: str = "GET") -> bool:
        """Whether the URL works: False when the signature is refused. Raises NotFound."""
        http = http_of(connection)
        parts = urlsplit(url)
        # By default GET, not HEAD: only GET says whether the key also opens the segments of a large object.
        http.request(method, f"{parts.path}?{parts.query}", "", {"Range": "bytes=0-0"})
        answer = http.getresponse()
        with contextlib.closing(answer):
            if answer.status in (200, 206, 416):  # 416: an empty object has no first byte
                return True
            body = answer.read()
        if answer.status in (401, 403):
            return False
        if answer.status == 409:
            text = f"the segments of {name!r} are in another container: temporary URLs to it need the scope account"
            raise NoTemporaryUrls(text)
        if answer.status == 404 and answer.getheader("x-trans-id"):
            raise NotFound(f"there is no {name!r}")
        raise ClientException.from_response(answer, "temporary URL", body)

    def _read(self, connection: Any) -> tuple[str, str]:
        if self._settings.scope == "account":
            connection.head_account()
        else:
            connection.head_container(self._container)
        # As they came: the client would decode what looks like a percent-escape in a key.
        headers = http_of(connection).resp.headers
        first, second = (headers.get(self._header(number), "") for number in (0, 1))
        return first.encode("latin-1").decode(), second.encode("latin-1").decode()

    def _write(self, connection: Any, changes: dict[int, str]) -> None:
        headers = {self._header(number): key for number, key in changes.items()}
        try:
            if self._settings.scope == "account":
                connection.post_account(headers)
            else:
                connection.post_container(self._container, headers)
        except ClientException as error:
            if error.http_status == 403:
                text = f"the user may not set the temporary-URL key of the {self._settings.scope}"
                raise NoTemporaryUrls(text) from error
            raise

    def _header(self, number: int) -> str:
        return f"X-{self._settings.scope.title()}-Meta-Temp-URL-Key{('', '-2')[number]}"


def _changes(present: tuple[str, str], wanted: tuple[str, ...]) -> dict[int, str]:
    """Which of the two places gets which key. One foreign key stays as long as there is room beside it."""
    missing = [key for key in wanted if key not in present]
    places = [number for number in (0, 1) if not present[number]]
    if len(wanted) == 2:
        places += [number for number in (0, 1) if present[number] and present[number] not in wanted]
    if len(missing) > len(places):
        raise NoTemporaryUrls("both temporary-URL keys are others than the one configured: configure both, or free one")
    return dict(zip(places, missing, strict=False))
