"""Answer with a file, with the same validators, conditions and ranges as nginx (RFC 9110, 13 and 14)."""

from __future__ import annotations

import asyncio
import calendar
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate
from typing import BinaryIO

from aiohttp import web

from service.api.http.errors import Unmet
from service.api.http.problems import BEGUN

CHUNK = 256 * 1024
SEND_TIMEOUT = 30.0  # seconds, as nginx has it
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class File:
    """What is sent: `size` bytes of `data`, with a strong `etag` (unquoted) and `modified` in whole seconds."""

    data: BinaryIO
    size: int
    etag: str
    modified: int
    headers: Mapping[str, str]


async def send(request: web.Request, file: File) -> web.StreamResponse:
    """Answer GET or HEAD with the file, and close it: 200, 206, 304, 412 or 416."""
    with file.data:
        return await _send(request, file)


async def _send(request: web.Request, file: File) -> web.StreamResponse:
    headers = {
        **file.headers,
        "ETag": f'"{file.etag}"',
        "Last-Modified": formatdate(file.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    status = condition(request.headers, headers["ETag"], headers["Last-Modified"])
    if status == 412:
        raise Unmet("the image is not the one that the request's conditions name")
    if status == 304:
        remaining = {key: value for key, value in headers.items() if key != "Content-Type"}
        return web.Response(status=304, headers=remaining)
    first, last = 0, file.size - 1
    asked = _asked_range(request.headers, headers)
    if asked:
        found = _range(asked, file.size)
        if found is None:
            beyond = {"Content-Range": f"bytes */{file.size}"}
            raise web.HTTPRequestRangeNotSatisfiable(text=f"the image has {file.size} bytes", headers=beyond)
        first, last = found
        status = 206
        headers["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = last - first + 1
    await response.prepare(request)
    request[BEGUN] = True
    if request.method != "HEAD":
        await _write(response, file.data, first, last - first + 1)
    await response.write_eof()
    return response


def condition(asked: Mapping[str, str], etag: str, modified: str) -> int:
    """200, 304 or 412: what the request's conditions make of an answer with these validators, in the order of RFC 9110,
    13.2.2.

    If-Modified-Since counts only if it is exactly ours, as nginx has it: what replaces an image may bear an earlier
    date.
    """
    if "If-Match" in asked:
        if not _names(asked["If-Match"], etag):
            return 412
    elif _is_before(asked.get("If-Unmodified-Since", ""), modified):
        return 412
    if "If-None-Match" in asked:
        return 304 if _names(asked["If-None-Match"], etag, weak=True) else 200
    return 304 if asked.get("If-Modified-Since") == modified else 200


def _names(condition: str, etag: str, *, weak: bool = False) -> bool:
    listed = [one.strip() for one in condition.split(",")]
    return "*" in listed or etag in listed or (weak and f"W/{etag}" in listed)


def _is_before(date: str, modified: str) -> bool:
    """Whether a date is earlier than ours. What is no date is ignored, as RFC 9110, 13.1.4 has it."""
    one, other = parsedate(date), parsedate(modified)
    try:
        return one is not None and other is not None and calendar.timegm(one) < calendar.timegm(other)
    except (ValueError, OverflowError):  # a year that there is not
        return False


def _asked_range(asked: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The Range header where it holds: not where If-Range names another state of the file."""
    if "If-Range" in asked and asked["If-Range"] not in (headers["ETag"], headers["Last-Modified"]):
        return None
    text = asked.get("Range", "")
    return text if _RANGE.fullmatch(text) and text != "bytes=-" else None


def _range(text: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range, None where it cannot be satisfied."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first, last = match[1], match[2]
    if first == "":
        length = min(int(last), size)
        return (size - length, size - 1) if length else None
    if int(first) >= size or (last and int(last) < int(first)):
        return None
    return int(first), min(int(last), size - 1) if last else size - 1


async def write(response: web.StreamResponse, chunk: bytes) -> None:
    """Send a piece. Raises ConnectionResetError where the client takes nothing for SEND_TIMEOUT seconds."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await response.write(chunk)
    except TimeoutError:
        raise ConnectionResetError("the client takes nothing") from None


async def _write(response: web.StreamResponse, file: BinaryIO, first: int, length: int) -> None:
    file.seek(first)
    in_memory = isinstance(file, io.BytesIO)  # there is no disk to wait for, and a thread costs more than the copy
    while length > 0:
        size = min(CHUNK, length)
        chunk = file.read(size) if in_memory else await asyncio.to_thread(file.read, size)
        if not chunk:
            raise ConnectionResetError("the file ended before its length")
        await write(response, chunk)
        length -= len(chunk)
