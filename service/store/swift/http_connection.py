"""The HTTP connection below python-swiftclient, by `http.client`.

A call takes a third of the CPU that it takes through `requests`, which reads the environment, makes a session's
settings and parses the URL for every request (`bench/run swift_calls`). Two things are left to `requests`: proxies, and
traces, which hook into it. No redirect is followed, since the token would go with it.
"""

from __future__ import annotations

import functools
import os
import select
import ssl
from collections.abc import Mapping
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPResponse, HTTPSConnection, IncompleteRead
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import ParseResult, urlparse

from requests import Session
from requests.certs import where  # type: ignore[attr-defined]  # which is its only purpose
from requests.utils import get_environ_proxies
from swiftclient import Connection
from swiftclient.client import encode_meta_headers
from swiftclient.version import version_string

BLOCK = 1 << 17  # bytes of a file that are sent at once
_AGENT = f"python-swiftclient-{version_string}"
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # variables that `requests` reads too


class SwiftConnection(Connection):  # type: ignore[misc]  # swiftclient has no types
    """A `swiftclient.Connection`; `timeout` is a pair, seconds to connect and seconds of silence."""

    def http_connection(self, url: str | None = None) -> tuple[ParseResult, Any]:
        where = url or self.url
        if _needs_requests(where):
            return super().http_connection(url)  # type: ignore[no-any-return]
        own = OwnHTTP(where, self.timeout, self.cacert)
        return own.parsed_url, own


class OwnHTTP:
    """One kept-alive connection, with the methods that swiftclient calls. `resp` is the last answer."""

    def __init__(self, url: str, timeouts: tuple[float, float], cacert: str | None) -> None:
        self.parsed_url = urlparse(url)
        self._base = f"{self.parsed_url.scheme}://{self.parsed_url.netloc}"
        self._http = _opened(self.parsed_url, timeouts[0], cacert)
        self._silence = timeouts[1]
        self._spoiled = False  # whether the body of the last request was not taken whole
        self.resp: Answer | None = None

    def request(
        self, method: str, full_path: str, data: Any = None, headers: Mapping[str, Any] | None = None
    ) -> Answer:
        """Send a request and receive the head of its answer. Raises OSError, http.client.HTTPException."""
        self._ready()
        sent = {"user-agent": _AGENT} | encode_meta_headers(headers or {})
        self._spoiled = True
        try:
            self._http.request(method, full_path, data or None, sent)
        except (BrokenPipeError, ConnectionResetError):
            if self._http.sock is None:
                raise
            # Swift has answered before it took the whole body, and the answer may still be there.
        else:
            self._spoiled = False
        answer = self._http.getresponse()
        assert isinstance(answer, Answer)
        answer.request = SimpleNamespace(url=self._base + full_path)
        self.resp = answer
        return answer

    def putrequest(self, full_path: str, data: Any = None, headers: Mapping[str, Any] | None = None) -> Answer:
        return self.request("PUT", full_path, data, headers)

    def getresponse(self) -> Answer:
        assert self.resp is not None
        return self.resp

    def close(self) -> None:
        if self.resp is not None:
            self.resp.close()
        self._http.close()

    def _ready(self) -> None:
        """A connection on which nothing is left of the request before, and which the server has not closed."""
        left = self.resp is not None and (self.resp.is_cut or not self.resp.isclosed())
        if left or self._spoiled or _is_readable(self._http):
            self.close()
        if self._http.sock is None:
            self._http.connect()
            assert self._http.sock is not None
            self._http.sock.settimeout(self._silence)
        self.resp = None


class Answer(HTTPResponse):
    """An answer, with what swiftclient knows of one of `requests`: names and values of headers are UTF-8, and a body
    that ends early raises IncompleteRead. `is_cut` tells that it was closed before all of its body was read: what is
    left, on its way still, would be taken for the next answer."""

    is_cut = False
    content = b""  # of an error whose body is empty
    request = SimpleNamespace(url="")

    @property
    def status_code(self) -> int:
        return self.status

    @property
    def raw(self) -> Answer:
        return self

    def close(self) -> None:
        self.is_cut = self.is_cut or (self.fp is not None and self.length != 0)
        super().close()

    def getheaders(self) -> list[tuple[str, str]]:
        return [(_decoded(name), _decoded(value)) for name, value in self.headers.items()]

    def getheader(self, name: str, default: Any = None) -> Any:
        value = self.headers.get(name)
        return default if value is None else _decoded(value)

    def read1(self, n: int = -1) -> bytes:
        data = super().read1(n)
        if not data and n and self.length:
            raise IncompleteRead(b"", self.length)
        return data


class _Plain(HTTPConnection):
    response_class = Answer


class _Secure(HTTPSConnection):
    response_class = Answer


def _needs_requests(url: str) -> bool:
    """Whether a proxy is configured in the environment for this URL, or something is wrapped around `requests`."""
    return hasattr(Session.send, "__wrapped__") or bool(get_environ_proxies(url))


def _opened(parts: ParseResult, timeout: float, cacert: str | None) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return _Secure(host, parts.port or HTTPS_PORT, timeout=timeout, blocksize=BLOCK, context=_context(cacert))
    return _Plain(host, parts.port or HTTP_PORT, timeout=timeout, blocksize=BLOCK)


def _context(cacert: str | None) -> ssl.SSLContext:
    """What is trusted: the configured file, else what `requests` trusts. Raises OSError."""
    named = (os.environ.get(variable) for variable in _BUNDLES)
    path = Path(cacert or next(filter(None, named), "") or where())
    return _loaded(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _loaded(path: Path, _changed: int) -> ssl.SSLContext:
    """One for all threads: the usual bundle takes some 20 ms, and as much memory for each."""
    return ssl.create_default_context(capath=path) if path.is_dir() else ssl.create_default_context(cafile=path)


def _is_readable(http: HTTPConnection) -> bool:
    """Whether something is on an idle connection: its end, or bytes that belong to nothing."""
    if http.sock is None:
        return False
    waiting = select.poll()
    waiting.register(http.sock, select.POLLIN)
    return bool(waiting.poll(0))


def _decoded(text: str) -> str:
    return text.encode("iso-8859-1").decode()
