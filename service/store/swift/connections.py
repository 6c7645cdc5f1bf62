"""Calls to Swift: in threads with a connection each, few and quick repetitions, and a breaker for a dead server.

Everything given to a pool must be safe to repeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar

from keystoneauth1.exceptions import ClientException as KeystoneException
from swiftclient.exceptions import ClientException
from urllib3.exceptions import HTTPError

from gateway.store_clock import StoreClock
from service.store.errand import Abandoned, Errand, run
from service.store.errors import Corrupt, NotFound, StoreError, StoreFull, Unavailable
from service.store.swift.auth import Denied, Grant, TokenSource, connection_timeouts
from service.store.swift.breaker import Breaker
from service.store.swift.http_connection import SwiftConnection
from service.store.swift.reason import plain_url, reason_of
from service.store.swift.settings import SwiftSettings

T = TypeVar("T")

_FIRST_PAUSE = 0.05  # seconds before the first repetition, doubled for each following one
_PASSING = {401, 408, 409, 498, 499, 500, 502, 503, 504}  # statuses that a repetition may change
_ANSWERS: dict[int, type[StoreError]] = {
    413: StoreFull,
    422: Corrupt,
    507: StoreFull,
}


class NotSwift(Exception):
    """What answered is not Swift, or not in its right mind."""


class LocalFailure(Exception):
    """A file on this machine failed, not Swift. The cause is the OSError."""


class Pool:
    """Bounded threads and connections. `calls`, `repeated` and `failed` count attempts since the start."""

    def __init__(self, settings: SwiftSettings) -> None:
        for library in ("swiftclient", "urllib3", "keystoneauth"):  # they log every request, URLs and headers included
            logging.getLogger(library).setLevel(logging.WARNING)
        self._settings = settings
        self._limit = settings.timeout * (settings.retries + 1) + 1
        self._executor = ThreadPoolExecutor(settings.connections, thread_name_prefix="swift")
        self._free = asyncio.Semaphore(settings.connections)
        self._own = threading.local()
        self._closed = False
        self.tokens = TokenSource(settings)
        self.breaker = Breaker()
        self.clock = StoreClock()  # of Swift, by the answers that bear its time
        self.calls = self.repeated = self.failed = 0

    async def call(self, work: Callable[[Any], T]) -> T:
        """The result of `work(connection)`, for short calls: they have a limit in all."""
        try:
            async with asyncio.timeout(self._limit):
                return await self.transfer(lambda connection, _: work(connection))
        except TimeoutError as error:
            raise Unavailable("Swift takes too long") from error

    async def transfer(self, work: Callable[[Any, Errand], T], target: Path | None = None) -> T:
        """The result of `work(connection, errand)`; the errand writes `target`. Raises what `Container` promises."""
        self.breaker.look()
        if self._closed:
            raise Unavailable("the store is closed")
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable(f"all {self._settings.connections} connections to Swift are busy") from error
        try:
            return await run(self._executor, lambda errand: self._repeat(work, errand), target, self._free.release)
        except LocalFailure as failure:
            raise failure.__cause__ or failure from None

    def hear(self, headers: Mapping[str, str], sent: float) -> None:
        """Learn Swift's time from an answer to what was `sent` at this monotonic time. Called from threads."""
        with contextlib.suppress(KeyError, ValueError, TypeError):
            date = parsedate_to_datetime(headers["date"]).timestamp()
            self.clock.hear(date, sent, time.monotonic())

    def close(self) -> None:
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _repeat(self, work: Callable[[Any, Errand], T], errand: Errand) -> T:
        for attempt in range(self._settings.retries + 1):
            errand.check()
            self.breaker.enter()
            try:
                return self._attempt(work, errand)
            except _Passing as passing:
                self.failed += 1
                if attempt == self._settings.retries:
                    raise passing.error from passing.__cause__
            self.repeated += 1
            jitter = 0.5 + secrets.randbelow(1000) / 1000
            time.sleep(_FIRST_PAUSE * 2**attempt * jitter)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, work: Callable[[Any, Errand], T], errand: Errand) -> T:
        self.calls += 1
        try:
            result = self._authorised(work, errand)
        except (Abandoned, LocalFailure, Unavailable):
            self._drop()  # the rest of an answer may be on the line; whether Swift is well, this does not tell
            raise
        except Corrupt as error:
            self._drop()
            self.breaker.succeeded()
            raise _Passing(error) from error
        except StoreError:
            self.breaker.succeeded()
            raise
        except ClientException as error:
            raise self._answered(error) from error
        except (NotSwift, ValueError) as error:
            self._drop()
            self.breaker.succeeded()
            raise _Passing(Unavailable(f"what answers is not Swift: {error}")) from error
        except (OSError, HTTPError, HTTPException, KeystoneException) as error:
            self._drop()
            self.breaker.failed()
            asked = plain_url(getattr(self._own, "asked", self._settings.auth_url))
            reason = reason_of(error, asked, self._settings.cacert)
            raise _Passing(Unavailable(f"Swift at {asked} does not answer: {reason}")) from error
        self.breaker.succeeded()
        return result

    def _authorised(self, work: Callable[[Any, Errand], T], errand: Errand) -> T:
        grant = self._grant()
        try:
            return work(self._connection(grant.storage_url, grant.token), errand)
        except ClientException as error:
            if error.http_status != 401:
                raise
        # The token may have ended before its time: one new login, and no failure for the caller.
        self.tokens.refuse(grant)
        grant = self._grant()
        try:
            return work(self._connection(grant.storage_url, grant.token), errand)
        except ClientException as error:
            if error.http_status == 401:
                self.tokens.refuse(grant)
            raise

    def _grant(self) -> Grant:
        self._own.asked = self._settings.auth_url
        grant = self.tokens.grant()
        self._own.asked = grant.storage_url
        return grant

    def _connection(self, url: str, token: str) -> Any:
        connection = getattr(self._own, "connection", None)
        if connection is None or connection.url != url:
            self._drop()
            connection = SwiftConnection(
                preauthurl=url,
                preauthtoken=token,
                retries=0,
                timeout=connection_timeouts(self._settings),
                cacert=self._settings.cacert or None,
            )
            self._own.connection = connection
        connection.token = token
        return connection

    def _drop(self) -> None:
        connection = getattr(self._own, "connection", None)
        self._own.connection = None
        if connection is not None:
            connection.close()

    def _answered(self, error: ClientException) -> Exception:
        """What an answer of Swift means; its text names no URL, for that may hold a signature."""
        status = error.http_status
        headers = {key.lower(): value for key, value in (error.http_response_headers or {}).items()}
        self.breaker.succeeded()
        if is_absent(error):
            return NotFound("there is no such object")
        if status == 404:
            return _Passing(Unavailable("something answers 404 that is not Swift"))
        self._drop()  # a refused body may still be on the line
        if status == 403:
            return Denied("Swift forbids this to the user (403)")
        if status in _ANSWERS:
            return _ANSWERS[status](f"Swift answers {status} {error.http_reason}")
        after = headers.get("retry-after", "")
        if after.isdigit() or status not in _PASSING:
            return Unavailable(f"Swift answers {status} {error.http_reason}", float(after) if after.isdigit() else 5.0)
        return _Passing(Unavailable(f"Swift answers {status} {error.http_reason}"))


def is_absent(error: ClientException) -> bool:
    """Whether Swift says that something is not there: a 404 of whatever stands before it says nothing."""
    return error.http_status == 404 and any(key.lower() == "x-trans-id" for key in error.http_response_headers or ())


class _Passing(Exception):
    """A failure that a repetition may cure, and what to raise if it does not."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(str(error))
        self.error = error
