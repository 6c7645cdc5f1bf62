"""The drivers that make the calls: one synchronous, one asynchronous, otherwise alike."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, TypeVar

import httpx

from service.api.schema.models import ListedImage, Listing, Picture, StoredImage, WarmProgress
from service.client import calls
from service.client.calls import Call, pause
from service.client.errors import GatewayError, Refused, Unavailable, check, require_url, unreachable

Result = TypeVar("Result")
CHUNK = 256 * 1024
TIMEOUT = httpx.Timeout(60.0, connect=5.0)
NO_TIMEOUT = httpx.Timeout(None, connect=5.0)


class _Settings:
    def __init__(self, base_url: str, token: str | None) -> None:
        self.base_url = base_url.rstrip("/")
        require_url(self.base_url)
        if token and not (token.isascii() and token.isprintable()):
            raise Refused("the token must be printable ASCII, on one line")
        self.options: Mapping[str, Any] = {
            "base_url": self.base_url,
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "timeout": TIMEOUT,
            "trust_env": False,
        }


class Gateway:
    """A gateway's API at `base_url`. Every method raises GatewayError; `calls` says what there is to call."""

    def __init__(
        self, base_url: str = "http://127.0.0.1:8081", token: str | None = None, limits: httpx.Limits | None = None
    ) -> None:
        settings = _Settings(base_url, token)
        self._base_url = settings.base_url
        self._http = httpx.Client(**settings.options, limits=limits or httpx.Limits())
        self._foreign: httpx.Client | None = None

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()
        if self._foreign is not None:
            self._foreign.close()

    def _client(self, call: Call[Any]) -> httpx.Client:
        if not call.foreign:
            return self._http
        self._foreign = self._foreign or httpx.Client(timeout=TIMEOUT, trust_env=False)
        return self._foreign

    def call(self, call: Call[Result]) -> Result:
        """Make one of the calls, again where that helps."""
        attempt = 1
        while True:
            response: httpx.Response | None = None
            try:
                with self._client(call).stream(**_request(call, _chunks(call))) as response:
                    response.read()
                wait = pause(response, attempt)
            except httpx.TransportError as error:
                wait = pause(None, attempt) if call.repeatable and not isinstance(error, httpx.ConnectError) else None
                if wait is None:
                    raise _failure(error, call, self._base_url) from error
            if wait is None and response is not None:
                check(response)
                return call.read(response)
            time.sleep(wait or 0.0)
            attempt += 1

    def images(self, prefix: str = "", regex: str | None = None) -> Iterator[ListedImage]:
        """Every image whose name begins with `prefix`, page by page."""
        call: Call[Listing] | None = calls.listing(prefix, regex=regex)
        while call is not None:
            page = self.call(call)
            yield from page.images
            call = calls.following(page)

    @contextmanager
    def open(self, call: Call[Any]) -> Iterator[httpx.Response]:
        """The answer of a call while it arrives, for its `iter_bytes` to be read, in bounded memory."""
        attempt = 1
        try:
            while True:
                with self._http.stream(**_request(call, None), follow_redirects=True) as response:
                    if not response.is_error:
                        yield response
                        return
                    response.read()
                wait = pause(response, attempt)
                if wait is None:
                    check(response)
                time.sleep(wait or 0.0)
                attempt += 1
        except httpx.TransportError as error:
            raise unreachable(error, self._base_url) from error

    def warm(self, recipes: Sequence[str], prefix: str = "", *, ladder: bool = False) -> Iterator[WarmProgress]:
        """Make derived images ahead of time (`@w=300.webp`, or a preset's bare word), for as long as this is read."""
        try:
            with self._http.stream(**_request(calls.warm(recipes, prefix, ladder=ladder), None)) as response:
                if response.is_error:
                    response.read()
                check(response)
                for line in response.iter_lines():
                    yield WarmProgress.model_validate_json(line)
        except httpx.TransportError as error:
            raise unreachable(error, self._base_url) from error

    def upload(self, name: str, body: bytes | Path, *, replace: bool = False) -> StoredImage:
        """Store an image under a name."""
        return self.call(calls.upload(name, body, replace=replace))

    def upload_direct(self, name: str, file: Path, *, replace: bool = False) -> StoredImage:
        """Store an image under a name, sending its bytes straight to the store."""
        begun = self.call(calls.begin_upload(name, file.stat().st_size, sha256_of(file), replace=replace))
        self.call(calls.send(begun, file))
        return self.call(calls.finish_upload(begun))

    def picture(
        self,
        name: str,
        widths: Sequence[int] = (),
        *,
        format: str = "auto",
        sizes: str = "",
        lifetime: int | None = None,
        **recipe: object,
    ) -> Picture:
        """What an `<img>` needs to show an image at these widths; `calls.picture` says more."""
        return self.call(calls.picture(name, widths, format=format, sizes=sizes, lifetime=lifetime, **recipe))

    def get(self, name: str, **recipe: object) -> bytes:
        """A derived image: `get("cat.jpg/@w=300.webp")`, or `get("cat.jpg", w=300, format="webp")`."""
        return self.call(calls.content(name, **recipe))


class AsyncGateway:
    """The same, awaited."""

    def __init__(
        self, base_url: str = "http://127.0.0.1:8081", token: str | None = None, limits: httpx.Limits | None = None
    ) -> None:
        settings = _Settings(base_url, token)
        self._base_url = settings.base_url
        self._http = httpx.AsyncClient(**settings.options, limits=limits or httpx.Limits())
        self._foreign: httpx.AsyncClient | None = None

    async def __aenter__(self) -> AsyncGateway:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()
        if self._foreign is not None:
            await self._foreign.aclose()

    def _client(self, call: Call[Any]) -> httpx.AsyncClient:
        if not call.foreign:
            return self._http
        self._foreign = self._foreign or httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
        return self._foreign

    async def call(self, call: Call[Result]) -> Result:
        """Make one of the calls, again where that helps."""
        attempt = 1
        while True:
            response: httpx.Response | None = None
            try:
                async with self._client(call).stream(**_request(call, _async_chunks(call))) as response:
                    await response.aread()
                wait = pause(response, attempt)
            except httpx.TransportError as error:
                wait = pause(None, attempt) if call.repeatable and not isinstance(error, httpx.ConnectError) else None
                if wait is None:
                    raise _failure(error, call, self._base_url) from error
            if wait is None and response is not None:
                check(response)
                return call.read(response)
            await asyncio.sleep(wait or 0.0)
            attempt += 1

    async def images(self, prefix: str = "", regex: str | None = None) -> AsyncIterator[ListedImage]:
        """Every image whose name begins with `prefix`, page by page."""
        call: Call[Listing] | None = calls.listing(prefix, regex=regex)
        while call is not None:
            page = await self.call(call)
            for image in page.images:
                yield image
            call = calls.following(page)

    async def warm(
        self, recipes: Sequence[str], prefix: str = "", *, ladder: bool = False
    ) -> AsyncIterator[WarmProgress]:
        """Make derived images ahead of time (`@w=300.webp`, or a preset's bare word), for as long as this is read."""
        try:
            async with self._http.stream(**_request(calls.warm(recipes, prefix, ladder=ladder), None)) as response:
                if response.is_error:
                    await response.aread()
                check(response)
                async for line in response.aiter_lines():
                    yield WarmProgress.model_validate_json(line)
        except httpx.TransportError as error:
            raise unreachable(error, self._base_url) from error

    async def upload(self, name: str, body: bytes | Path, *, replace: bool = False) -> StoredImage:
        """Store an image under a name."""
        return await self.call(calls.upload(name, body, replace=replace))

    async def upload_direct(
        self,
        name: str,
        file: Path,
        *,
        replace: bool = False,
        sha256: str | None = None,
        sent: Callable[[int], None] = lambda _: None,
    ) -> StoredImage:
        """Store an image under a name, sending its bytes straight to the store. `sha256` is that of the file in hex,
        where it is known; `sent` is called with the bytes of every piece that has gone out."""
        if sha256 is None:
            sha256 = await asyncio.to_thread(sha256_of, file)
        size = (await asyncio.to_thread(file.stat)).st_size
        begun = await self.call(calls.begin_upload(name, size, sha256, replace=replace))
        await self.call(replaced(calls.send(begun, file), sent=sent))
        return await self.call(calls.finish_upload(begun))

    async def picture(
        self,
        name: str,
        widths: Sequence[int] = (),
        *,
        format: str = "auto",
        sizes: str = "",
        lifetime: int | None = None,
        **recipe: object,
    ) -> Picture:
        """What an `<img>` needs to show an image at these widths; `calls.picture` says more."""
        return await self.call(calls.picture(name, widths, format=format, sizes=sizes, lifetime=lifetime, **recipe))

    async def get(self, name: str, **recipe: object) -> bytes:
        """A derived image: `get("cat.jpg/@w=300.webp")`, or `get("cat.jpg", w=300, format="webp")`."""
        return await self.call(calls.content(name, **recipe))


def sha256_of(path: Path) -> str:
    """In hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _failure(error: httpx.TransportError, call: Call[Any], base_url: str) -> GatewayError:
    if not call.foreign:
        return unreachable(error, base_url)
    url = httpx.URL(call.path)  # of which the query is a permission
    place = f"{url.scheme}://{url.netloc.decode()}"
    return Unavailable(f"the store at {place} cannot be reached from here: {error or type(error).__name__}")


def _request(call: Call[Any], chunks: Any) -> dict[str, Any]:
    headers = dict(call.headers)
    if isinstance(call.body, Path):
        headers["Content-Length"] = str(call.body.stat().st_size)
    # A path that has a query already (the next page) keeps it.
    params = dict(call.params) or None
    body = chunks if isinstance(call.body, Path) else call.body
    return {
        "method": call.method,
        "url": call.path,
        "params": params,
        "headers": headers,
        "content": body,
        "json": call.json,
        "timeout": NO_TIMEOUT if call.patient else TIMEOUT,
    }


def _chunks(call: Call[Any]) -> Iterator[bytes] | None:
    return _read(call.body, call.sent) if isinstance(call.body, Path) else None


def _async_chunks(call: Call[Any]) -> AsyncIterator[bytes] | None:
    return _read_async(call.body, call.sent) if isinstance(call.body, Path) else None


def _read(path: Path, sent: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
            sent(len(chunk))


async def _read_async(path: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
            sent(len(chunk))
