"""Find the system's reason why Swift cannot be reached in the exceptions of the HTTP libraries."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from requests import exceptions as http
from urllib3 import exceptions as pool

from service.store.swift.certificates import shown_by

_SILENT = (TimeoutError, http.Timeout, pool.TimeoutError)


def reason_of(error: BaseException, url: str = "", cacert: str = "") -> str:
    """The reason in the system's words, such as `Connection refused`; where it has none, the library's.

    Of a certificate that is not trusted, also which one the server of `url` shows, and where trusted ones are: `cacert`
    or the system."""
    chain = list(_causes(error))
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            shown = f"; it is {told}" if (told := shown_by(url)) else ""
            return (
                f"its certificate is not trusted: {one.verify_message}{shown}; trusted are {cacert or 'the system'}'s"
            )
    for one in chain:
        if isinstance(one, ssl.SSLError):
            return f"no TLS connection: {one.reason or one.strerror or one}"
        if isinstance(one, socket.gaierror):
            return f"no such host: {one.strerror}"
        if isinstance(one, OSError) and one.strerror and not isinstance(one, http.RequestException):
            return one.strerror
    if any(isinstance(one, _SILENT) for one in chain):
        return "no answer in time"
    return f"{chain[-1]}" or type(error).__name__


def plain_url(url: str) -> str:
    """The URL without what may be secret in it: user, password and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps, from the outside in: as its cause, its context, `reason` or an argument."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [each for each in inner if isinstance(each, BaseException)]
