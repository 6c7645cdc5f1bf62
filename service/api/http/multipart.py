"""Read the files of a multipart form (RFC 7578) one after the other."""

from __future__ import annotations

from typing import Any, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web

from gateway.errors import Refused, quote
from service.api.http.body import Patience, Read, discard
from service.api.http.errors import TooMany

FIELD = "file"
LARGEST_FIELD = 64 * 1024  # bytes of a field that is no file, and of what a form adds to its file
MOST_FIELDS = 1000  # that are no file
MOST_LINES = 50_000  # of headers, of boundaries, and of what comes before the first: a thousand files have 6,000
CHUNK = 64 * 1024


class _Lines:
    """The stream of a form, which counts the lines that are read of it. Raises TooMany."""

    def __init__(self, stream: StreamReader) -> None:
        self._stream = stream
        self._left = MOST_LINES

    async def readline(self, **how: Any) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise TooMany(f"the form has more than {MOST_LINES} lines of headers, or before its first field")
        return await self._stream.readline(**how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Form:
    """The files of a form: its parts whose name is `file`. One under another name is refused: it would be lost.

    How many fields and lines a form may have is bounded, since each takes the service's time. Raises TooMany.
    """

    def __init__(self, parts: MultipartReader, most: int) -> None:
        self._parts = parts
        self._most = most
        self._current: BodyPartReader | None = None
        self._ahead: BodyPartReader | None = None
        self._fields = 0

    @classmethod
    def of(cls, request: web.Request, most: int) -> Form:
        """The form of a request, of whose files at most `most` bytes are passed over. Raises Refused."""
        try:
            return cls(MultipartReader(request.headers, cast(StreamReader, _Lines(request.content))), most)
        except (ValueError, AssertionError) as error:
            raise Refused(400, "the multipart form has no boundary") from error

    async def next(self) -> BodyPartReader | None:
        """The next file; what was not read of the one before is passed over. Raises Refused, SlowSender, TooLarge."""
        await self.peek()
        self._current, self._ahead = self._ahead, None
        return self._current

    async def peek(self) -> bool:
        """Whether there is another file. Raises Refused where the form breaks off instead."""
        if self._ahead is None:
            self._ahead = await self._find()
        return self._ahead is not None

    def reader(self, part: BodyPartReader) -> Read:
        """What gives the pieces of a file."""

        async def read() -> bytes:
            return await part.read_chunk(CHUNK)

        return read

    async def _find(self) -> BodyPartReader | None:
        patience = Patience()
        if self._current is not None:
            await discard(self.reader(self._current), patience, self._most)
        while (part := await patience.wait(self._parts.next(), 0)) is not None:
            if not isinstance(part, BodyPartReader):
                raise Refused(400, "the form has a form inside")
            if part.headers.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
                raise Refused(400, "Content-Transfer-Encoding: send the bytes as they are")
            if part.name == FIELD:
                return part
            if part.filename:
                raise Refused(400, f"the file is in the field {quote(part.name or '')}; it must be in {FIELD}")
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise TooMany(f"the form has more than {MOST_FIELDS} fields that are no file")
            await discard(self.reader(part), patience, LARGEST_FIELD)
        return None
