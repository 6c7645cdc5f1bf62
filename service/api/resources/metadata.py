"""The metadata of an image (`@meta.json`) as a part of other answers."""

from __future__ import annotations

import json
from typing import Any

from gateway.names import Name
from service.api.http.context import Context


async def metadata_of(context: Context, image: str) -> dict[str, Any]:
    """The metadata of an image, as far as the configuration allows. Raises what Derivatives.get raises."""
    found = await context.derivatives.get(Name(image, {}, "json"), lane="api")
    with found.file.open() as file:
        document: dict[str, Any] = json.loads(file.read())
    return document
