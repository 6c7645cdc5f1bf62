"""What this gateway can: its formats, presets and operations, and what the token of a request may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Any, get_args

from aiohttp import web

from gateway.api_settings import Scope
from gateway.rules import CONTENT_TYPES, VOCABULARY, Rules
from service.api.http.auth import CLIENT
from service.api.http.context import CONTEXT, Context
from service.api.schema.page_models import Capabilities

ORIGINAL_TYPES = {word: row["type"] for part in ("formats", "only_originals") for word, row in VOCABULARY[part].items()}
ALIKE = ("type", "alpha", "animated", "longest", "quality", "lossless", "meaning")
"""Keys of a format in the vocabulary that concern clients."""


async def formats(request: web.Request) -> web.Response:
    """Formats in and out, as the configuration allows and this machine's ImageMagick can."""
    context = request.app[CONTEXT]
    return web.json_response(
        {
            "in": _accepted(context),
            "out": {word: CONTENT_TYPES[word] for word in context.rules.out},
            "default": context.rules.default_format,
            "negotiate": list(context.rules.negotiate),
            "quality": dict(context.rules.quality),
        }
    )


async def presets(request: web.Request) -> web.Response:
    """The presets and their recipes."""
    return web.json_response(dict(request.app[CONTEXT].rules.presets))


async def capabilities(request: web.Request) -> web.Response:
    """What a page needs to offer operations: the vocabulary with its limits, formats, presets, the public port.

    And what the token of this request may.
    """
    context, client = request.app[CONTEXT], request[CLIENT]
    rules, limits = context.rules, context.config.limits
    found = Capabilities(
        version=metadata.version("image-gateway"),
        client=client.name,
        iiif=context.config.dialects.iiif.prefix or context.config.dialects.iiif.prefix_2,
        scopes=sorted(get_args(Scope) if client.scopes is None else client.scopes),
        tokens=bool(context.config.api.tokens),
        operations=operations(rules),
        formats={word: _format(word, rules) for word in rules.out},
        default_format=rules.default_format,
        negotiate=list(rules.negotiate),
        accepted={word: ORIGINAL_TYPES[word] for word in _accepted(context)},
        presets=dict(rules.presets),
        public_url=context.config.public.base_url,
        access=rules.access,
        signing=bool(rules.keys),
        page=context.config.api.page,
        most_upload=limits.upload,
        most_archive=limits.archive_files,
    )
    return web.json_response(text=found.model_dump_json(), headers={"Cache-Control": "no-store"})


_CONFIGURED: Mapping[str, Callable[[Rules], Iterable[str]]] = {
    "keep": lambda rules: rules.keep,
    "over": lambda rules: rules.overlays,
}
"""The words of operations that the configuration names."""


def operations(rules: Rules) -> list[dict[str, Any]]:
    """The rows of the vocabulary, the words for limits replaced by this configuration's numbers."""
    found = []
    for row in VOCABULARY["operations"]:
        most = row.get("max")
        if isinstance(most, str):
            most = rules.limits[most]
        words = {"words": list(_CONFIGURED[row["key"]](rules))} if row["key"] in _CONFIGURED else {}
        resolved = {**row, **words, "expects": str(row["expects"]).replace("{max}", str(most))}
        found.append(resolved if most is None else {**resolved, "max": most})
    return found


def _format(word: str, rules: Rules) -> dict[str, Any]:
    row = VOCABULARY["formats"][word]
    found = {key: row[key] for key in ALIKE if key in row}
    return {**found, "quality": rules.quality[word]} if word in rules.quality else found


def _accepted(context: Context) -> list[str]:
    can = context.engine.capabilities
    return [word for word in context.config.formats.accept if can.get(word, (False, False))[0]]
