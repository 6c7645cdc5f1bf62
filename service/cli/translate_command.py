"""`image-gateway translate`: the canonical names that URLs of other image servers mean."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from service.cli.arguments import local_command

if TYPE_CHECKING:
    from gateway.holding import Shape
    from service.dialects.dialect import Dialect
    from service.runtime.configuration import Loaded

_AUTHORITY = re.compile(r"^https?://[^/]*", re.IGNORECASE)


def _size(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text, re.ASCII)
    if not match:
        raise click.BadParameter(f"{text}: must be WIDTHxHEIGHT in pixels, such as 4000x3000")
    return int(match[1]), int(match[2])


@local_command(
    "translate /thumbor/unsafe/300x200/smart/photos/cat.jpg",
    "translate /imgproxy/x/rs:fill:300:200/plain/local:///photos/cat.jpg@webp --size 4000x3000",
)
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option(
    "--size", callback=_size, metavar="WxH", help="The original's pixels as shown (the running gateway knows)."
)
def translate(loaded: Loaded, urls: tuple[str, ...], size: tuple[int, int] | None) -> int:
    """Print the canonical name that each URL of another image server means.

    URL begins with the prefix of a dialect, or with a scheme and host before it. Signatures are not checked. Where the
    meaning depends on the original's size, it is --size, or the running gateway is asked.
    """
    from gateway.config import rules_of  # noqa: PLC0415  # only this command needs it
    from service.dialects.table import dialects_of  # noqa: PLC0415

    dialects = dialects_of(loaded.config, rules_of(loaded.config))
    failed = False
    for url in urls:
        try:
            click.echo(_translated(loaded, dialects, url, size))
        except Exception as error:
            if not _is_explained(error):
                raise
            click.echo(f"{url}: {error}", err=True)
            failed = True
    return int(failed)


def _translated(loaded: Loaded, dialects: tuple[Dialect, ...], url: str, size: tuple[int, int] | None) -> str:
    from gateway.config import rules_of  # noqa: PLC0415
    from gateway.errors import Refused  # noqa: PLC0415
    from gateway.ladder import on_ladder  # noqa: PLC0415
    from service.dialects.dialect import OriginalNeeded, Request, ShapeNeeded, Translation  # noqa: PLC0415

    path, _, query = _AUTHORITY.sub("", url).partition("?")
    for dialect in dialects:
        prefix = next((prefix for prefix in dialect.prefixes if path.startswith(f"{prefix}/")), None)
        if prefix is not None:
            asked = Request(prefix, path.removeprefix(f"{prefix}/"), query, now=time.time(), trusted=True)
            answer = dialect.read(asked)
            if isinstance(answer, ShapeNeeded):
                answer = answer.answer(_original(loaded, answer.image, size)[0])
            elif isinstance(answer, OriginalNeeded):
                answer = answer.answer(*_original(loaded, answer.image, size))
            if isinstance(answer, Translation):
                name = answer.name
                return str(replace(name, recipe=on_ladder(name.recipe, name.format, rules_of(loaded.config))))
            raise Refused(400, "means no derived image")
    known = ", ".join(f"{prefix}/" for dialect in dialects for prefix in dialect.prefixes)
    raise Refused(400, f"must begin with {known}" if known else "no dialect is configured; see docs/dialects.md")


def _original(loaded: Loaded, image: str, size: tuple[int, int] | None) -> tuple[Shape, bool]:
    """The shape, and whether all of it is opaque, which a size does not tell."""
    from gateway.holding import Shape  # noqa: PLC0415

    if size is not None:
        return Shape(*size), False
    from service.cli.connection import remote  # noqa: PLC0415  # most URLs need no gateway
    from service.client import calls  # noqa: PLC0415

    with remote(loaded.config, None).connect() as gateway:
        known = gateway.call(calls.metadata(image))
    shape = Shape(known["width"], known["height"], known.get("frames", 1))
    return shape, known.get("alpha") is False and shape.frames == 1


def _is_explained(error: Exception) -> bool:
    from gateway.errors import Refused  # noqa: PLC0415
    from service.client.errors import GatewayError  # noqa: PLC0415

    return isinstance(error, Refused | GatewayError)
