"""Check what web pages and CDNs need: the picture in place of an error, and the tags by which a CDN purges."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gateway.settings import Config
from service.cli.check.finding import Finding
from service.open_store import open_store
from service.runtime.paths import Paths
from service.store.errors import NotFound, StoreError

TAGS = {"fastly": "Surrogate-Key", "cloudflare": "Cache-Tag", "varnish": "xkey"}  # the header that each CDN reads


def fallback(config: Config, paths: Paths) -> Iterator[Finding]:
    """A note where the image of public.fallback is not in the store; a store that fails is found by others."""
    image = config.public.fallback.image
    if image and not asyncio.run(_is_there(config, image)):
        text = f"{image} is not in the store: until it is uploaded, errors are answered as problems"
        yield Finding("public.fallback.image", text, wrong=False)


def tags(config: Config, paths: Paths) -> Iterator[Finding]:
    """A note where the CDN is asked to purge by tags that no answer has."""
    read, sent = TAGS.get(config.cdn.kind), config.public.cache_tags.header
    if read and sent.lower() != read.lower():
        text = f"{sent or 'nothing'} is sent, and {config.cdn.kind} reads {read}: what is purged there stays"
        yield Finding("public.cache_tags.header", text, wrong=False)


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
