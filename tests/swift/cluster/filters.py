"""Two pieces of middleware for the proxy server: memcached's stand-in, and a small Keystone in front of tempauth.

The Keystone knows logins only: v2 and v3 with a password, v3 with an application credential. User NAME of project
PROJECT is tempauth's PROJECT:NAME, so whatever token it gives is one that tempauth checks.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from swift.common.swob import Request

APPLICATION_CREDENTIALS = {"credential-of-tester": ("secret-of-the-credential", "test:tester", "testing")}
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = Sequence[tuple[str, str]]
Answer = tuple[str, object, Headers]
Login = tuple[str, str, Callable[[str, str, str, int], Answer]]  # user, key, and how an answer is written
Filter = Callable[[Application], Application]

_NEVER = float("inf")


class Cache:
    """The part of Swift's MemcacheRing that the proxy server uses, in the memory of its one process."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Any, float]] = {}

    def get(self, key: str, raise_on_error: bool = False) -> Any:
        value, until = self._entries.get(key, (None, 0))
        return value if time.time() < until else None

    def set(self, key: str, value: Any, serialize: bool = True, time: float = 0, **_: object) -> None:
        # Through JSON, as memcached does it: tuples come back as lists.
        self._entries[key] = (json.loads(json.dumps(value)) if serialize else value, _until(time))

    def delete(self, key: str, server_key: str | None = None) -> None:
        self._entries.pop(key, None)

    def incr(self, key: str, delta: int = 1, time: float = 0) -> int:
        value = max(0, int(self.get(key) or 0) + int(delta))
        self._entries[key] = (value, _until(time))
        return value

    def set_multi(self, mapping: Mapping[str, Any], server_key: str, **options: Any) -> None:
        for key, value in mapping.items():
            self.set(key, value, **options)

    def get_multi(self, keys: Iterable[str], server_key: str, raise_on_error: bool = False) -> list[Any]:
        return [self.get(key) for key in keys]


def _until(seconds: float) -> float:
    if not seconds:
        return _NEVER
    is_date = seconds > 30 * 24 * 3600  # as memcached tells a date from a duration
    return seconds if is_date else time.time() + seconds


def cache(global_options: object, **options: object) -> Filter:
    entries = Cache()

    def wrap(application: Application) -> Application:
        def handle(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            environ["swift.cache"] = entries
            return application(environ, start_response)

        return handle

    return wrap


def keystone(global_options: object, **options: object) -> Filter:
    def wrap(application: Application) -> Application:
        def handle(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            answer = ROUTES.get((environ["REQUEST_METHOD"], environ["PATH_INFO"].rstrip("/")))
            if answer is None:
                return application(environ, start_response)
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            try:
                user, key, shape = answer(json.loads(body)["auth"])
            except (ValueError, KeyError, TypeError):
                return _reply(start_response, "400 Bad Request", {"error": {"code": 400, "message": "malformed"}})
            grant = _login(application, environ, user, key)
            if grant is None:
                error = {"code": 401, "title": "Unauthorized", "message": "The request requires authentication."}
                return _reply(start_response, "401 Unauthorized", {"error": error})
            return _reply(start_response, *shape(user, *grant))

        return handle

    return wrap


def _login(application: Application, environ: Environ, user: str, key: str) -> tuple[str, str, int] | None:
    """Token, storage URL and seconds to live, or None."""
    kept = {name: environ[name] for name in ("HTTP_HOST", "swift.cache", "swift.trans_id") if name in environ}
    request = Request.blank("/auth/v1.0", environ=kept, headers={"X-Auth-User": user, "X-Auth-Key": key})
    answer = request.get_response(application)
    if answer.status_int != 200:
        return None
    headers = answer.headers
    return headers["X-Auth-Token"], headers["X-Storage-Url"], int(headers["X-Auth-Token-Expires"])


def _from_v3(auth: dict[str, Any]) -> Login:
    identity = auth["identity"]
    if identity["methods"] == ["application_credential"]:
        given = identity["application_credential"]
        secret, user, key = APPLICATION_CREDENTIALS.get(given["id"], (None, "", ""))
        return (user, key if secret == given["secret"] else "", _as_v3)
    user, project = identity["password"]["user"], auth["scope"]["project"]
    if "id" not in user["domain"] and "name" not in user["domain"]:
        raise KeyError("domain")
    return f"{project.get('name') or project['id']}:{user['name']}", user["password"], _as_v3


def _from_v2(auth: dict[str, Any]) -> Login:
    given = auth["passwordCredentials"]
    project = auth.get("tenantName") or auth["tenantId"]
    return f"{project}:{given['username']}", given["password"], _as_v2


def _as_v3(user: str, token: str, url: str, seconds: int) -> Answer:
    project, name = user.split(":")
    domain = {"id": "default", "name": "Default"}
    endpoints = [
        {"id": uuid.uuid4().hex, "interface": "public", "region": region, "region_id": region, "url": address}
        for region, address in (("elsewhere", "http://127.0.0.1:1/v1/none"), ("here", url))
    ]
    body = {
        "methods": ["password"],
        "user": {"id": user, "name": name, "domain": domain},
        "project": {"id": project, "name": project, "domain": domain},
        "roles": [{"id": "member", "name": "member"}],
        "issued_at": _iso(0),
        "expires_at": _iso(seconds),
        "catalog": [{"id": "swift", "type": "object-store", "name": "swift", "endpoints": endpoints}],
    }
    return "201 Created", {"token": body}, [("X-Subject-Token", token)]


def _as_v2(user: str, token: str, url: str, seconds: int) -> Answer:
    project, name = user.split(":")
    endpoint = {"region": "here", "publicURL": url, "internalURL": url, "adminURL": url}
    access = {
        "token": {"id": token, "expires": _iso(seconds), "tenant": {"id": project, "name": project}},
        "user": {"id": user, "name": name, "username": name, "roles": [{"name": "member"}]},
        "serviceCatalog": [{"type": "object-store", "name": "swift", "endpoints": [endpoint]}],
    }
    return "200 OK", {"access": access}, []


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + seconds))


def _reply(start_response: StartResponse, status: str, body: object, headers: Headers = ()) -> list[bytes]:
    data = json.dumps(body).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers])
    return [data]


ROUTES = {("POST", "/v3/auth/tokens"): _from_v3, ("POST", "/v2.0/tokens"): _from_v2}
