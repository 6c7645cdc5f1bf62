"""Listings of a container, page by page."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from swiftclient.exceptions import ClientException

from service.store.base import Page, StoredObject
from service.store.naming import is_image_name
from service.store.swift.connections import Pool, is_absent
from service.store.swift.objects import from_headers, from_row, is_folder, parsing

_MOST = 5000  # rows in one answer; Swift gives 10000 at most, and refuses to be asked for more
_EMPTY = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of nothing


async def list_container(
    pool: Pool, container: str, prefix: str, delimiter: str, marker: str, limit: int, *, derived: bool
) -> Page:
    """One page, as `Container.list` describes it. Folders that are objects, and names that no request can ask for, are
    left out of originals. A full page is not held against what follows, so the last page may be an empty one."""
    objects: list[StoredObject] = []
    folders: list[str] = []
    last, position = "", marker
    while True:
        room = limit + 1 - len(objects) - len(folders)
        query = {"prefix": prefix, "delimiter": delimiter, "marker": position, "limit": min(room, _MOST)}
        rows = await pool.call(partial(_rows, pool, container, query))
        # Only an empty answer is the end: some servers give fewer rows than they were asked for.
        if not rows:
            return Page(objects, folders, None)
        for row in rows:
            position = row if isinstance(row, str) else row.name
            # What begins a name stands for all the names in the folder.
            if not derived and not _is_asked_for(row):
                continue
            if len(objects) + len(folders) >= limit:
                return Page(objects, folders, last)
            if isinstance(row, str):
                folders.append(row)
            else:
                objects.append(row)
            last = position
        if len(objects) + len(folders) == limit:
            return Page(objects, folders, last)


def _is_asked_for(row: StoredObject | str) -> bool:
    """Whether a request can ask for the image, or for one in the folder, whose name begins all of theirs."""
    if isinstance(row, str):
        return is_image_name(f"{row}x".encode())
    return is_image_name(row.name.encode()) and not is_folder(row)


def _rows(pool: Pool, container: str, query: Mapping[str, Any], connection: Any) -> Sequence[StoredObject | str]:
    """Objects, and folders as their names."""
    sent = time.monotonic()
    headers, rows = connection.get_container(container, **query)
    pool.hear(headers, sent)
    with parsing():
        found = [str(row["subdir"]) if "subdir" in row else from_row(row) for row in rows]
    return [row if isinstance(row, str) else _whole(connection, container, row) for row in found]


def _whole(connection: Any, container: str, row: StoredObject) -> StoredObject:
    """The row; the manifest of a dynamic large object is an empty one, and only HEAD says what is behind it."""
    if row.bytes or row.etag != _EMPTY or is_folder(row):
        return row
    try:
        headers = connection.head_object(container, row.name)
    except ClientException as error:
        if not is_absent(error):
            raise
        return row
    return dataclasses.replace(from_headers(row.name, headers), metadata={})
