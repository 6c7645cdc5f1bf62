"""The driver that makes the calls, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, TypeVar

import httpx

from service.api.schema.models import ListedImage, Listing, Picture, StoredImage, WarmProgress
from service.client import calls
from service.client.calls import Call, pause
from service.client.errors import check, unreachable
from service.client.requests import TIMEOUT, Settings, async_chunks, failure, request, sha256_of

Result = TypeVar("Result")


class AsyncGateway:
    """A gateway's API at `base_url`, as `Gateway` has it."""

    def __init__(
        self, base_url: str = "http://127.0.0.1:8081", token: str | None = None, limits: httpx.Limits | None = None
    ) -> None:
        settings = Settings(base_url, token)
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
                async with self._client(call).stream(**request(call, async_chunks(call))) as response:
                    await response.aread()
                wait = pause(response, attempt)
            except httpx.TransportError as error:
                wait = pause(None, attempt) if call.repeatable and not isinstance(error, httpx.ConnectError) else None
                if wait is None:
                    raise failure(error, call, self._base_url) from error
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
            async with self._http.stream(**request(calls.warm(recipes, prefix, ladder=ladder), None)) as response:
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
