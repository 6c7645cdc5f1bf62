"""The driver that makes the calls and waits for each; async_driver is the same, awaited."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from service.api.schema.models import ListedImage, Listing, Picture, StoredImage, WarmProgress
from service.client import calls
from service.client.calls import Call, pause
from service.client.errors import check, unreachable
from service.client.requests import TIMEOUT, Settings, chunks, failure, request, sha256_of

Result = TypeVar("Result")


class Gateway:
    """A gateway's API at `base_url`. Every method raises GatewayError; `calls` says what there is to call."""

    def __init__(
        self, base_url: str = "http://127.0.0.1:8081", token: str | None = None, limits: httpx.Limits | None = None
    ) -> None:
        settings = Settings(base_url, token)
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
                with self._client(call).stream(**request(call, chunks(call))) as response:
                    response.read()
                wait = pause(response, attempt)
            except httpx.TransportError as error:
                wait = pause(None, attempt) if call.repeatable and not isinstance(error, httpx.ConnectError) else None
                if wait is None:
                    raise failure(error, call, self._base_url) from error
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
                with self._http.stream(**request(call, None), follow_redirects=True) as response:
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
            with self._http.stream(**request(calls.warm(recipes, prefix, ladder=ladder), None)) as response:
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
