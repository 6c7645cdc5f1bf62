"""Check what is shown on web pages: the picture in place of an error has to be in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gateway.settings import Config
from service.cli.check.finding import Finding
from service.open_store import open_store
from service.runtime.paths import Paths
from service.store.errors import NotFound, StoreError


def fallback(config: Config, paths: Paths) -> Iterator[Finding]:
    """A note where the image of public.fallback is not in the store; a store that fails is found by others."""
    image = config.public.fallback.image
    if image and not asyncio.run(_is_there(config, image)):
        text = f"{image} is not in the store: until it is uploaded, errors are answered as problems"
        yield Finding("public.fallback.image", text, wrong=False)


async def _is_there(config: Config, image: str) -> bool:
    store = open_store(config)
    try:
        await store.originals.stat(image)
    except NotFound:
        return False
    except (StoreError, OSError):
        return True  # as far as this can tell
    finally:
        await store.close()
    return True
