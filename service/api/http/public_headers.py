"""The headers that answers on the public port have only where they are configured. nginx adds them by itself to what it
answers alone (service/supervise/answer_headers.py)."""

from __future__ import annotations

from gateway.cache_tag import header_value
from gateway.names import Name, escape
from gateway.settings import Config


def public_headers(config: Config, name: Name) -> dict[str, str]:
    """The headers of an answer with this name."""
    return {**tag_header(config, name.image), **_link(config, name)}


def tag_header(config: Config, image: str) -> dict[str, str]:
    """The tags by which a CDN purges what is made of an image; empty where none are configured."""
    tags = config.public.cache_tags
    return {tags.header: header_value(image, tags.header, tags.longest)} if tags.header else {}


def _link(config: Config, name: Name) -> dict[str, str]:
    if not config.public.canonical_link or config.public.access != "open":
        return {}
    return {"Link": f'<{config.public.base_url}/images/{escape(str(name))}>; rel="canonical"'}
