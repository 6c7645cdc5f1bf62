"""Upload many files: several at once, and none that is stored already, so that an interrupted run can be repeated."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from service.client import calls
from service.client.async_driver import AsyncGateway
from service.client.errors import Conflict, GatewayError, NotFound, Unreachable
from service.client.local_files import LocalFile
from service.client.requests import sha256_of

DIRECT_FROM = 1 << 20  # bytes: two requests more cost a small file more than they spare


@dataclass(slots=True)
class Uploading:
    """A run over many files; `report` is called with the bytes that are done. Afterwards `stored` and `there` name what
    was stored and what was there already, and `failed` the others with their reasons. A `dry` run stores nothing, and
    says what another would store. With `direct`, files of DIRECT_FROM bytes and more go straight to the store."""

    base_url: str
    token: str | None
    replace: bool
    report: Callable[[int], None]
    dry: bool = False
    direct: bool = False
    stored: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    async def run(self, files: Iterable[LocalFile], parallel: int) -> None:
        """Store the files, `parallel` at once, from 1. Raises Unreachable at the first file that gets no connection."""
        waiting = iter(files)
        async with AsyncGateway(self.base_url, self.token) as gateway:

            async def work() -> None:
                for file in waiting:
                    await self._one(gateway, file)

            tasks = [asyncio.create_task(work()) for _ in range(parallel)]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, gateway: AsyncGateway, file: LocalFile) -> None:
        sent = 0

        def count(size: int) -> None:
            nonlocal sent
            size = min(size, file.bytes - sent)  # a repeated attempt counts once
            sent += size
            self.report(size)

        try:
            stored = await self._store(gateway, file, count)
            (self.stored if stored else self.there).append(file.name)
        except Unreachable:
            raise
        except (GatewayError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.failed.append((file.name, reason))
        self.report(file.bytes - sent)

    async def _store(self, gateway: AsyncGateway, file: LocalFile, sent: Callable[[int], None]) -> bool:
        """Whether it had to be stored. Raises Conflict where another image has its name."""
        sha256 = await asyncio.to_thread(sha256_of, file.path)
        try:
            there = await gateway.call(calls.original(file.name))
        except NotFound:
            there = None
        if there is not None and await self._same(gateway, there, file, sha256):
            return False
        if there is not None and not self.replace:
            raise Conflict("another image has this name; --replace replaces it")
        if self.dry:
            return True
        if self.direct and file.bytes >= DIRECT_FROM:
            await gateway.upload_direct(file.name, file.path, replace=self.replace, sha256=sha256, sent=sent)
            return True
        upload = calls.upload(file.name, file.path, replace=self.replace, sha256=sha256)
        await gateway.call(dataclasses.replace(upload, sent=sent))
        return True

    async def _same(self, gateway: AsyncGateway, there: calls.Original, file: LocalFile, sha256: str) -> bool:
        if there.bytes != file.bytes:
            return False
        if there.sha256 is not None:
            return there.sha256 == sha256
        # Its checksum was never noted: it came into the store in another way.
        return hashlib.sha256(await gateway.get(file.name, original="true")).hexdigest() == sha256
