"""Logging in: tokens for a storage URL, renewed before they expire and when Swift refuses them.

One login at a time serves all threads. A token that is about to expire is renewed by one of them, while the others
go on with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from keystoneauth1.exceptions import BadRequest, CatalogException, Forbidden, NotFound, Unauthorized
from keystoneauth1.identity import v2, v3
from keystoneauth1.session import Session
from swiftclient.client import http_connection

from service.store.errors import Unavailable
from service.store.swift.settings import SwiftSettings, auth_version

_MARGIN = 60.0  # seconds before its end at which a token is renewed, at most a tenth of its life
_PAUSE = 1.0  # seconds after a failed login before the next one


class Refused(Unavailable):
    """Swift or its identity service answers, and says no to this user. It may be temporary, but not at the start."""


class Denied(Refused):
    """Swift knows the user, and answers 403 to this request."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A token and the URL it is for; it should be renewed at `renew` and is over at `expires`, both monotonic."""

    storage_url: str
    token: str
    renew: float
    expires: float


class TokenSource:
    """Hands out the current grant. `logins` counts how often one was asked for."""

    def __init__(self, settings: SwiftSettings) -> None:
        self._login = _login(settings)
        self._storage_url = settings.storage_url.rstrip("/")
        self._patience = settings.timeout
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._failure: Exception | None = None
        self._failed_at = -_PAUSE
        self.logins = 0

    def grant(self) -> Grant:
        """A grant that has not expired. Raises Refused, or what the connection raised."""
        grant, now = self._grant, time.monotonic()
        if grant is not None and now < grant.renew:
            return grant
        usable = grant is not None and now < grant.expires
        if not self._lock.acquire(timeout=0 if usable else self._patience):
            if grant is not None and usable:
                return grant
            raise Unavailable("the login to Swift takes too long")
        try:
            return self._renewed(grant, usable=usable)
        finally:
            self._lock.release()

    def refuse(self, grant: Grant) -> None:
        """Swift did not accept the grant's token: the next caller logs in again."""
        with self._lock:
            if self._grant is grant:
                self._grant = None

    def _renewed(self, seen: Grant | None, *, usable: bool) -> Grant:
        if self._grant is not None and self._grant is not seen:
            return self._grant  # another thread has logged in while we waited
        if self._failure is not None and time.monotonic() - self._failed_at < _PAUSE:
            if seen is not None and usable:
                return seen
            raise self._failure
        self.logins += 1
        try:
            url, token, life = self._login()
        except Exception as error:
            self._failure, self._failed_at = error, time.monotonic()
            if seen is not None and usable:
                return seen
            raise
        self._failure = None
        now = time.monotonic()
        margin = min(_MARGIN, life / 10)
        # Some servers give out the same token until its very end: no login more often than once a pause.
        renew, expires = now + max(life - margin, _PAUSE), now + max(life, _PAUSE)
        self._grant = Grant(self._storage_url or url.rstrip("/"), token, renew, expires)
        return self._grant


Login = Callable[[], tuple[str, str, float]]
"""Gives storage URL, token, and the seconds it lives."""


def _login(settings: SwiftSettings) -> Login:
    if auth_version(settings) == "1":
        return lambda: _login_v1(settings)
    return lambda: _login_keystone(settings)


def _login_v1(settings: SwiftSettings) -> tuple[str, str, float]:
    """Swift's own v1: two headers there, three back."""
    url, connection = http_connection(
        settings.auth_url, cacert=settings.cacert or None, timeout=connection_timeouts(settings)
    )
    try:
        connection.request("GET", url.path, "", {"X-Auth-User": settings.user, "X-Auth-Key": settings.key})
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    if answer.status in (401, 403):
        raise Refused("Swift refuses user and key")
    storage_url = answer.getheader("x-storage-url")
    token = answer.getheader("x-auth-token") or answer.getheader("x-storage-token")
    if not 200 <= answer.status < 300 or not storage_url or not token:
        raise Unavailable(f"the login answered {answer.status}, not as Swift does")
    life = answer.getheader("x-auth-token-expires") or ""
    return storage_url, token, float(life) if life.isdigit() else float("inf")


def _login_keystone(settings: SwiftSettings) -> tuple[str, str, float]:
    # keystoneauth1's own plugins: python-swiftclient ignores the region with application credentials.
    plugin = _plugin(settings)
    session = Session(timeout=settings.timeout, verify=settings.cacert or True)
    try:
        access = plugin.get_access(session)
    except (Unauthorized, Forbidden, BadRequest, NotFound) as error:
        raise Refused(f"Keystone refuses the login ({error.http_status})") from error
    try:
        url = access.service_catalog.url_for(
            service_type="object-store", interface=settings.interface, region_name=settings.region or None
        )
    except CatalogException as error:
        where = f" in region {settings.region!r}" if settings.region else ""
        raise Refused(f"the catalog knows no {settings.interface} object-store{where}") from error
    return str(url), str(access.auth_token), max(0.0, access.expires.timestamp() - time.time())


def _plugin(settings: SwiftSettings) -> Any:
    project, _, user = settings.user.rpartition(":")
    if not project or settings.project_name or settings.project_id:
        project, user = settings.project_name, settings.user
    if auth_version(settings) == "2":
        return v2.Password(
            _versioned(settings.auth_url, "v2.0"),
            username=user,
            password=settings.key,
            tenant_name=project or None,
            tenant_id=settings.project_id or None,
        )
    url = _versioned(settings.auth_url, "v3")
    if settings.application_credential_id:
        return v3.ApplicationCredential(
            url,
            application_credential_id=settings.application_credential_id,
            application_credential_secret=settings.application_credential_secret,
        )
    by_id = settings.user_domain_id or (None if settings.user_domain_name else "default")
    if settings.application_credential_name:  # which is one of the user's
        return v3.ApplicationCredential(
            url,
            application_credential_name=settings.application_credential_name,
            application_credential_secret=settings.application_credential_secret,
            username=settings.user,
            user_domain_id=by_id,
            user_domain_name=settings.user_domain_name or None,
        )
    project_by_id = settings.project_domain_id or (None if settings.project_domain_name else "default")
    return v3.Password(
        url,
        username=user,
        password=settings.key,
        user_domain_id=by_id,
        user_domain_name=settings.user_domain_name or None,
        project_name=project or None,
        project_id=settings.project_id or None,
        project_domain_id=project_by_id if project else None,
        project_domain_name=settings.project_domain_name or None if project else None,
    )


def _versioned(url: str, version: str) -> str:
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    return url if last.startswith(("v2", "v3")) else f"{url.rstrip('/')}/{version}"


def connection_timeouts(settings: SwiftSettings) -> tuple[float, float]:
    """Seconds to connect and seconds of silence. A server that is there takes a connection at once."""
    return min(settings.timeout, 3.0), settings.timeout
