"""Write a zip archive while its images are made, in constant memory, with a manifest at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import quote

from aiohttp import web
from zipstream import ZipStream

from gateway.filenames import visible
from service.api.http.concurrency import in_order
from service.api.http.errors import TooMany
from service.api.http.problems import BEGUN
from service.api.http.sending import write
from service.api.resources.entries import Entries
from service.api.resources.urls import problem_of
from service.api.schema.models import Manifest, MissingImage

MANIFEST = "manifest.json"
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file for an archive: whose it is, its name there before it is made safe, and its bytes, open, so that nothing
    can take them away while they wait for their turn."""

    image: str
    leaf: str
    file: BinaryIO
    size: int
    format: str = ""


@dataclass(slots=True)
class Archive:
    """What an archive shall hold: `find` makes the file of each of `images`, `at_once` of them ahead of the sending.

    What lies beyond `most` bytes is listed as missing.
    """

    name: str
    images: Sequence[str]
    find: Callable[[str], Coroutine[Any, Any, Wanted]]
    most: int
    at_once: int
    failed: list[MissingImage] = field(default_factory=list)
    held: int = 0
    bytes: int = 0


async def send_archive(request: web.Request, archive: Archive) -> web.StreamResponse:
    """The zip as an answer. Images that cannot be made are named in its manifest.

    The images are stored as they are: they are compressed already.
    """
    name = quote(f"{visible(archive.name)}.zip", safe="")
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    await response.prepare(request)
    request[BEGUN] = True
    if request.method == "HEAD":
        return response
    zip_file, entries = ZipStream(), Entries(MANIFEST)
    async with aclosing(in_order(archive.images, lambda image: _found(archive, image), archive.at_once)) as files:
        async for found in files:
            if isinstance(found, MissingImage):
                archive.failed.append(found)
                continue
            with found.file:
                if archive.bytes + found.size > archive.most:
                    full = TooMany(f"the archive would have more than {archive.most} bytes")
                    archive.failed.append(MissingImage(name=found.image, problem=problem_of(full)))
                    continue
                blocks = _blocks(found.file, found.size)
                zip_file.add(blocks, entries.name(found.leaf, found.format), size=found.size)
                await _send(response, zip_file.all_files())
            archive.held, archive.bytes = archive.held + 1, archive.bytes + found.size
    manifest = Manifest(images=archive.held, bytes=archive.bytes, failed=archive.failed)
    zip_file.add(manifest.model_dump_json(indent=1).encode(), MANIFEST)
    await _send(response, zip_file.finalize())
    await response.write_eof()
    return response


async def _found(archive: Archive, image: str) -> Wanted | MissingImage:
    try:
        try:
            return await archive.find(image)
        except FileNotFoundError:  # it was evicted between being found and being opened
            return await archive.find(image)
    except Exception as error:
        return MissingImage(name=image, problem=problem_of(error))


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(CHUNK, size))):
        yield block
        size -= len(block)


async def _send(response: web.StreamResponse, pieces: Iterator[bytes]) -> None:
    """Everything that `pieces` gives; the disk is read in threads."""
    block = bytearray()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        block += piece
        if len(block) >= CHUNK:
            await write(response, bytes(block))
            block.clear()
    if block:
        await write(response, bytes(block))
