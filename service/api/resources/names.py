"""Say what names mean: canonical names, URLs on the public port, signatures. Nothing is made or looked up."""

from __future__ import annotations

import time
from dataclasses import replace

from aiohttp import web
from pydantic import Field

from gateway.access import is_preset, sign
from gateway.equivalence import canonicalise
from gateway.errors import Refused
from gateway.ladder import on_ladder
from gateway.names import Name, escape, parse
from service.api.http.auth import require
from service.api.http.context import CONTEXT, Context
from service.api.http.public_rules import public_rules
from service.api.http.validation import validated
from service.api.resources.urls import problem_of
from service.api.schema.page_models import NameResult
from service.api.schema.request_models import Body, ImageName, Lifetime

MOST = 1000  # names of one batch


class NamesBody(Body):
    """Names whose meaning is asked for."""

    names: list[ImageName] = Field(
        min_length=1,
        max_length=MOST,
        description="names such as cat.jpg/@w=300.webp in any spelling; not escaped",
    )
    sign: bool = Field(False, description="sign the URLs with the first of public.keys; it takes the scope url")
    lifetime: Lifetime | None = Field(
        None, description="for how long the signatures shall hold: seconds, or a time such as 1h; null: for ever"
    )


@validated(NamesBody)
async def read_names(request: web.Request, asked: NamesBody) -> web.StreamResponse:
    """The canonical name of each name, its operations, and its URL on the public port; or what is wrong with it.

    With `sign` the URL carries a signature. Without it the URL is null where the public port takes only signed ones.
    """
    require(request, "read", *(("url",) if asked.sign else ()))
    context = request.app[CONTEXT]
    expires = int(time.time()) + asked.lifetime if asked.lifetime else None
    results = [_result(name, context, asked.sign, expires) for name in asked.names]
    return web.json_response([result.model_dump(mode="json", exclude_none=True) for result in results])


def _result(asked: str, context: Context, signed: bool, expires: int | None) -> NameResult:
    try:
        name = parse(escape(asked), "", context.rules.of_api)
    except Exception as error:
        return NameResult(name=asked, problem=problem_of(error))
    return NameResult(
        name=asked,
        canonical=str(name),
        recipe=dict(name.recipe),
        format=name.format,
        url=_url(name, context, signed, expires),
        expires=expires if signed and context.rules.keys else None,
    )


def _url(name: Name, context: Context, signed: bool, expires: int | None) -> str | None:
    """The URL on the public port; None where that would refuse it."""
    rules = public_rules(context)
    try:
        if rules.required and not name.is_meta:
            name = replace(name, recipe=canonicalise(name.recipe, name.format, rules))
        name = replace(name, recipe=on_ladder(name.recipe, name.format, rules))
    except Refused:
        return None
    url = f"{context.config.public.base_url}/images/{escape(str(name))}"
    if signed and rules.keys:
        key_id, key = next(iter(rules.keys.items()))
        end = "" if expires is None else f"&exp={expires}"
        return f"{url}?sig={key_id}.{sign(str(name), key, expires)}{end}"
    if signed or (name.is_meta and not rules.metadata):
        return None
    return url if rules.access == "open" or is_preset(name, rules) else None
