"""Deletion of many objects: in bulk where the cluster offers that, else several at once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from swiftclient.exceptions import ClientException

from service.store.errors import NotFound, StoreError
from service.store.swift.connections import Pool, is_absent
from service.store.swift.objects import parsing, reachable
from service.store.swift.swiftclient_private import http_of

_BULK = 100  # names in one request, about a second of a cluster's work: it must answer within `timeout`
_RUN = 10  # objects that one thread deletes without asking the event loop for more
_HEADERS = {"Content-Type": "text/plain", "Accept": "application/json"}

_log = logging.getLogger(__name__)


class Deletion:
    """Deletes objects of one container, never with more requests at once than there are connections. `one` deletes a
    single object and raises NotFound where there is none."""

    def __init__(self, pool: Pool, container: str, at_once: int, one: Callable[[str], Awaitable[None]]) -> None:
        self._pool = pool
        self._container = container
        self._at_once = at_once
        self._one = one
        self._bulk: int | None = None  # names that one request may hold, 0 for no such requests; None: not asked yet

    async def delete(self, names: Sequence[str]) -> int:
        """Delete those that are there; return how many were. Raises StoreError after all were tried."""
        if len(names) <= 1:
            return await self._single(names)
        size = await self._size()
        if not size:
            return await self._single(names)
        parts = [names[first : first + size] for first in range(0, len(names), size)]
        return sum(await _several(parts, self._part, self._at_once))

    async def _size(self) -> int:
        """How many names a bulk request may hold, as the cluster says in `/info`; 0 where it offers none."""
        if self._bulk is None:
            try:
                self._bulk = min(_BULK, await self._pool.call(_most_in_bulk))
            except StoreError as error:
                _log.info("what this Swift offers cannot be asked, so objects are deleted one by one: %s", error)
                return 0
        return self._bulk

    async def _part(self, names: Sequence[str]) -> int:
        """Delete one request's worth. What the cluster does not delete in bulk is deleted one by one, which tells why
        it cannot be."""
        try:
            deleted, failed = await self._pool.call(partial(_bulk_delete, self._container, names))
        except StoreError as error:
            _log.info("Swift deletes nothing in bulk now: %s", error)
            return await self._run(names)
        return deleted + (await self._run(names) if failed else 0)

    async def _single(self, names: Sequence[str]) -> int:
        runs = [names[first : first + _RUN] for first in range(0, len(names), _RUN)]
        return sum(await _several(runs, self._run, self._at_once))

    async def _run(self, names: Sequence[str]) -> int:
        """Delete some objects one after the other over one connection. Where that fails, each is tried by itself."""
        deleted = set[str]()
        try:
            await self._pool.call(partial(_delete_each, self._container, names, deleted))
        except StoreError:
            results = await _several([name for name in names if name not in deleted], self._exists, 1)
            return len(deleted) + sum(results)
        return len(deleted)

    async def _exists(self, name: str) -> bool:
        try:
            await self._one(name)
        except NotFound:
            return False
        return True


def _most_in_bulk(connection: Any) -> int:
    parts = urlsplit(connection.url)
    http_of(connection)  # else swiftclient opens one for /info, and sends all later requests below that path
    try:
        offered = connection.get_capabilities(f"{parts.scheme}://{parts.netloc}/info")
    except ClientException as error:
        if error.http_status in (401, 403, 404, 405):  # it does not say
            return 0
        raise
    with parsing():
        bulk = offered.get("bulk_delete")
        return 0 if bulk is None else int(bulk.get("max_deletes_per_request", _BULK))


def _delete_each(container: str, names: Sequence[str], deleted: set[str], connection: Any) -> None:
    """Delete these objects; `deleted` gets those that were there."""
    for name in names:
        if name in deleted:
            continue
        try:
            connection.delete_object(container, reachable(name))
        except NotFound:
            continue
        except ClientException as error:
            if not is_absent(error):
                raise
            continue
        deleted.add(name)


def _bulk_delete(container: str, names: Sequence[str], connection: Any) -> tuple[int, bool]:
    """How many were deleted, and whether any could not be. That one is not there is no failure."""
    body = "".join(f"{quote(f'/{container}/{name}')}\n" for name in names).encode()
    _, answer = connection.post_account(dict(_HEADERS), query_string="bulk-delete", data=body)
    with parsing():
        told = json.loads(answer)
        return int(told["Number Deleted"]), bool(told["Errors"]) or not told["Response Status"].startswith("2")


async def _several(items: Sequence[Any], work: Callable[[Any], Awaitable[int]], at_once: int) -> list[int]:
    """The results of `work`, in any order. Raises the first failure after all were tried."""
    waiting: Iterator[Any] = iter(items)
    results: list[int] = []
    failures: list[StoreError] = []

    async def worker() -> None:
        for item in waiting:
            try:
                results.append(await work(item))
            except StoreError as error:
                failures.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(items))):
            group.create_task(worker())
    if failures:
        raise failures[0]
    return results
