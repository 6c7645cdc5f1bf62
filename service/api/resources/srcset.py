"""Tell what an `<img>` needs to show an image at several widths: `GET /images/NAME/@srcset.json?w=320,640,1280`.

The public port answers it only where access is open. Where names need signatures, the API gives them.
"""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode

from aiohttp import web
from pydantic import ConfigDict, Field

from gateway.access import sign
from gateway.errors import Refused
from gateway.freshness import directives
from gateway.names import SRCSET_LEAF, Name, escape, parse
from service.api.http.auth import require
from service.api.http.context import CONTEXT, Context, raw_target
from service.api.http.public_headers import tag_header
from service.api.http.public_rules import public_rules
from service.api.http.validation import validated
from service.api.resources.metadata import metadata_of
from service.api.resources.placeholder import data_url
from service.api.schema.models import Picture
from service.api.schema.request_models import Lifetime, Query
from service.engine import geometry

MOST = 64  # widths of one request
_WIDTHS = re.compile(r"[0-9]{1,5}(,[0-9]{1,5})*")
_UNKNOWN_SIZE = ("trim",)  # operations after which only the pixels tell how large an image is
_FOLLOWING = ("h", "ysize", "xsize", "dpr", "preset", "thumbnail", "meta")  # what a list of widths leaves no room for


class SrcsetQuery(Query):
    """The widths, and the operations that all of them share."""

    model_config = ConfigDict(extra="allow", frozen=True)

    w: str = Field("", description="widths in pixels, such as 320,640,1280; by default those of the ladder")
    format: str = Field("auto", description="the format of all of them")
    sizes: str = Field("", max_length=1024, description="the attribute sizes; by default as wide as the viewport")
    lifetime: Lifetime | None = Field(
        None, description="where names need signatures, for how long they hold: seconds, or a time such as 1h"
    )


def is_srcset(path: str) -> bool:
    """Whether a raw path asks for the widths of an image."""
    return path.endswith(f"/{SRCSET_LEAF}")


@validated(SrcsetQuery)
async def srcset_of_api(request: web.Request, asked: SrcsetQuery) -> web.StreamResponse:
    """The widths of an image with their URLs on the public port, signed where that needs it (scope `sign`)."""
    context = request.app[CONTEXT]
    signed = context.rules.access == "signed"
    require(request, "read", *(("sign",) if signed else ()))
    if context.rules.access == "presets":
        raise Refused(403, "only presets are served on the public port, and none of them has several widths")
    expires = int(time.time()) + asked.lifetime if signed and asked.lifetime else None
    picture = await _picture(context, raw_target(request)[0], asked, expires)
    return _answer(picture, {"Cache-Control": "no-store" if signed else "private, no-cache"})


@validated(SrcsetQuery)
async def srcset_of_front(request: web.Request, asked: SrcsetQuery) -> web.StreamResponse:
    """The same behind nginx, where access is open. Raises Refused."""
    context, path = request.app[CONTEXT], raw_target(request)[0]
    if context.rules.access != "open":
        raise Refused(403, f"{SRCSET_LEAF}: only the API answers this")
    picture = await _picture(context, path, asked, None)
    ends = (await context.derivatives.marker(picture.name)).ends
    most = None if ends is None else max(0, int(ends - time.time()))
    control = directives(context.rules.max_age, context.rules, most)
    return _answer(picture, {"Cache-Control": control, **tag_header(context.config, picture.name)})


async def _picture(context: Context, path: str, asked: SrcsetQuery, expires: int | None) -> Picture:
    """Raises Refused, and what Derivatives.get raises."""
    names = _names(context, path.removesuffix(f"/{SRCSET_LEAF}"), asked)
    image = names[0].image
    shape = (await context.derivatives.marker(image)).shape
    found: dict[int, tuple[Name, int]] = {}
    for name in names:
        width, height = geometry.result((shape.width, shape.height), dict(name.recipe))
        found.setdefault(width, (name, height))  # wider than the image, it is the same again
    urls = {width: _url(context, name, expires) for width, (name, _) in sorted(found.items())}
    widest = max(urls)
    placeholder = (await metadata_of(context, image)).get("placeholder")
    return Picture(
        name=image,
        src=urls[widest],
        srcset=", ".join(f"{url} {width}w" for width, url in urls.items()),
        sizes=asked.sizes or f"(max-width: {widest}px) 100vw, {widest}px",
        width=widest,
        height=found[widest][1],
        placeholder=data_url(placeholder) if placeholder else None,
        expires=expires,
    )


def _names(context: Context, path: str, asked: SrcsetQuery) -> list[Name]:
    """The derived images by ascending width, read by the rules of the public port. Raises Refused."""
    extra = {key: str(value) for key, value in (asked.model_extra or {}).items()}
    for key in extra:
        if key in _UNKNOWN_SIZE or key in _FOLLOWING:
            raise Refused(400, f"{key}: cannot be beside a list of widths, by which heights follow")
    rules = public_rules(context)
    return [
        parse(path, urlencode({"w": width, "format": asked.format, **extra}), rules)
        for width in _widths(asked.w, context.config.rungs)
    ]


def _widths(text: str, default: list[int]) -> list[int]:
    if not text:
        return default
    widths = sorted({int(one) for one in text.split(",")}) if _WIDTHS.fullmatch(text) else []
    if not widths or len(widths) > MOST:
        raise Refused(400, f"w: must be 1 to {MOST} widths in pixels, such as 320,640,1280")
    return widths


def _url(context: Context, name: Name, expires: int | None) -> str:
    """The URL on the public port; a comma in it would end a candidate of srcset only where a space follows."""
    url = f"{context.config.public.base_url}/images/{escape(str(name))}"
    if context.rules.access != "signed":
        return url
    key_id, key = next(iter(context.rules.keys.items()))
    end = "" if expires is None else f"&exp={expires}"
    return f"{url}?sig={key_id}.{sign(str(name), key, expires)}{end}"


def _answer(picture: Picture, headers: dict[str, str]) -> web.Response:
    more = {**headers, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=picture.model_dump_json(exclude_none=True), content_type="application/json", headers=more)
