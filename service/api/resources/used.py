"""Which images nginx has sent by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiohttp import web

from gateway.errors import Refused
from gateway.names import check_image
from service.api.http.context import CONTEXT

_LINE = re.compile(rb"([0-9]{1,9}) (.+)")
_ESCAPED = re.compile(rb"\\x([0-9A-F]{2})")


async def take_used(request: web.Request) -> web.Response:
    """`POST /used` of nginx: a line for each image, with how often it was sent and its name as nginx logs it, where
    bytes may be written as \\xXX."""
    used = request.app[CONTEXT].tasks.revalidation.questions.used
    for image, times in _read(await request.read()):
        used.note(image, times)
    return web.Response(status=204)


def _read(body: bytes) -> Iterator[tuple[str, int]]:
    """The images and their numbers. A file that another program put into the cache may have any name: it is none."""
    for line in body.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise Refused(400, "a line must be a number and the name of an image")
        name = _ESCAPED.sub(lambda escaped: bytes((int(escaped[1], 16),)), found[2])
        try:
            yield check_image(name.decode("utf-8")), int(found[1])
        except (UnicodeDecodeError, Refused):
            continue
