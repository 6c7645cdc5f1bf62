"""Transfer and verify bytes between Swift and files, because Swift's client does not verify downloads."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, BinaryIO

from service.store.base import StoredObject
from service.store.errand import Errand
from service.store.errors import Corrupt, NotAsAnnounced, Unavailable
from service.store.swift.connections import LocalFailure
from service.store.swift.objects import from_headers, parsing

_CHUNK = 1 << 17
_SLOWEST = 64 * 1024  # bytes per second: what comes slower than that is given up
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an object, with its MD5 where that is known."""

    bytes: int
    md5: str | None


def download(
    connection: Any,
    container: str,
    name: str,
    errand: Errand,
    patience: float,
    *,
    size: int | None = None,
    sha256: hashlib._Hash | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> StoredObject:
    """GET the object into the errand's target, with these headers. Raises Corrupt, Unavailable, and what the client
    raises; NotAsAnnounced, before it is read, where it should have another `size`.

    The bytes are compared with the MD5 that Swift gives, unless the caller compares them by `sha256`, which is updated
    with them.
    """
    get = partial(connection.get_object, container, name, resp_chunk_size=_CHUNK, headers=headers)
    answer, body = get()
    parts: Sequence[Part] | None = None
    if "x-static-large-object" in answer or "x-object-manifest" in answer:
        # The client's connection holds one answer at a time, so the manifest is read before the object.
        body.close()
        parts = _segments(connection, container, name, answer)
        answer, body = get()
    with contextlib.closing(body):
        found = from_headers(name, answer)
        if size is not None and found.bytes != size:
            raise NotAsAnnounced(f"{found.bytes} bytes were sent, and {size} were announced")
        if not parts:
            parts = [Part(found.bytes, found.etag if _MD5.fullmatch(found.etag) and parts is None else None)]
        elif sum(part.bytes for part in parts) != found.bytes:
            raise Corrupt("the object was replaced while its segments were looked up")
        with _writing(errand) as write:
            if sha256 is None:
                _copy(body.resp.raw.read1, write, parts, errand, patience)
            else:
                _copy(body.resp.raw.read1, _both(sha256.update, write), [Part(found.bytes, None)], errand, patience)
    return found


def _copy(
    read: Callable[[int], bytes], write: Callable[[bytes], None], parts: Sequence[Part], errand: Errand, patience: float
) -> None:
    until = time.monotonic() + patience + sum(part.bytes for part in parts) / _SLOWEST
    ahead = b""
    for part in parts:
        digest, missing = hashlib.md5(usedforsecurity=False) if part.md5 is not None else None, part.bytes
        while missing:
            errand.check()
            if time.monotonic() > until:
                raise Unavailable("Swift sends too slowly")
            ahead = ahead or read(_CHUNK)
            if not ahead:
                raise Corrupt(f"the object ended {missing} bytes early")
            chunk, ahead = ahead[:missing], ahead[missing:]
            if digest:
                digest.update(chunk)
            write(chunk)
            missing -= len(chunk)
        if digest and digest.hexdigest() != part.md5:
            raise Corrupt("the object's bytes do not have its MD5")
    if ahead or read(1):
        raise Corrupt("the object is longer than announced")


def _both(first: Callable[[bytes], None], second: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def both(chunk: bytes) -> None:
        first(chunk)
        second(chunk)

    return both


def _segments(connection: Any, container: str, name: str, headers: Any) -> list[Part]:
    """The segments of a large object: by the manifest of a static one, by a listing for a dynamic one.

    Empty when their MD5s are not those of the object's stretches, or not told: Ceph's gateway hands out no manifest.
    """
    if "x-static-large-object" in headers:
        _, manifest = connection.get_object(container, name, query_string="multipart-manifest=get")
        if not manifest:
            return []
        with parsing():
            rows = json.loads(manifest)
    else:
        source, _, prefix = headers["x-object-manifest"].partition("/")
        _, rows = connection.get_container(source, prefix=prefix, full_listing=True)
    with parsing():
        # What is itself segmented, or used in part, has another MD5 here than its bytes: the length has to do.
        if any("hash" not in row or any(row.get(key) for key in ("sub_slo", "slo_etag", "range")) for row in rows):
            return []
        return [Part(int(row["bytes"]), str(row["hash"])) for row in rows]


@contextlib.contextmanager
def _writing(errand: Errand) -> Iterator[Callable[[bytes], None]]:
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(errand.writing())
        except OSError as error:
            raise LocalFailure from error

        def write(chunk: bytes) -> None:
            try:
                file.write(chunk)
            except OSError as error:
                raise LocalFailure from error

        yield write
        try:
            file.flush()
        except OSError as error:
            raise LocalFailure from error


class Upload:
    """Bytes as the client reads them for a PUT. Reading fails once the caller has left, or Swift takes too long."""

    def __init__(self, file: BinaryIO, size: int, errand: Errand, patience: float) -> None:
        self._file = file
        self._errand = errand
        self._until = time.monotonic() + patience + size / _SLOWEST

    def read(self, size: int = -1) -> bytes:
        self._errand.check()
        if time.monotonic() > self._until:
            raise Unavailable("Swift takes the bytes too slowly")
        try:
            return self._file.read(size)
        except OSError as error:
            raise LocalFailure from error


def open_source(opened: Callable[[], BinaryIO]) -> BinaryIO:
    """What to upload. Raises LocalFailure."""
    try:
        return opened()
    except OSError as error:
        raise LocalFailure from error
