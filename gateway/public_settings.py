"""The options of the public port."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator

from gateway.overlay_settings import PublicOverlays
from gateway.page_settings import CacheTags, Fallback
from gateway.rules import DEFAULT_IGNORED_QUERY
from gateway.section import Secret, Section
from gateway.units import Listen, Network, Seconds, url_of
from gateway.wording import Wanted

SHORTEST_KEY = 16  # bytes of a signing key; RFC 2104 advises as many as the hash, 32
_QUERY_KEY = re.compile(r"[^\s*&=#%+\x00-\x20]+\*?")


def _query_key(value: Any) -> str:
    if isinstance(value, str) and _QUERY_KEY.fullmatch(value):
        return value
    raise ValueError("must be a query key such as fbclid, or the beginning of some with a * at its end, such as utm_*")


QueryKey = Annotated[str, BeforeValidator(_query_key)]


class Public(Section):
    """The public port: nginx, derived images only."""

    listen: Listen = Field("127.0.0.1:8080", description="where nginx listens")
    url: Annotated[str, Wanted("a URL without a query, such as https://images.example.org, or empty")] = Field(
        "",
        description="what clients call it; links begin with this; empty: http:// and where nginx listens",
        pattern=r"^(https?://[^\s?#]+)?$",
    )
    access: Literal["open", "presets", "signed"] = Field("open", description="open, presets or signed")
    keys: dict[str, Secret] = Field(
        default_factory=dict, description="signing keys by their id; several live at once, so they can be rotated"
    )
    cors: str = Field("*", description="Access-Control-Allow-Origin of every answer; empty for none")
    metadata: bool = Field(False, description="whether @meta.json is public")
    trusted_proxies: list[Network] = Field(
        [], description="addresses and networks whose X-Forwarded-For names the client, such as [10.0.0.0/8]"
    )
    max_age: Seconds = Field(3600.0, description="how long browsers may keep an image whose URL carries no version")
    preset_max_age: dict[str, Seconds] = Field(
        default_factory=dict, description="the same for what single presets expand to, such as {thumbnail: 30d}"
    )
    s_maxage: Seconds = Field(0.0, description="the same for shared caches such as a CDN's; 0s: as browsers")
    stale_while_revalidate: Seconds = Field(
        0.0, description="for how long a cache may go on with what is too old, while it asks for it anew; 0s: not said"
    )
    stale_if_error: Seconds = Field(0.0, description="and for how long while it gets errors; 0s: not said")
    cache_tags: CacheTags = CacheTags()
    fallback: Fallback = Fallback()
    canonical_link: bool = Field(
        False, description="where access is open, name the canonical URL of an image in Link, with rel=canonical"
    )
    ignored_query: list[QueryKey] = Field(
        list(DEFAULT_IGNORED_QUERY),
        description="query keys that are dropped, for they come from the web; a * at the end stands for any rest",
    )

    overlays: PublicOverlays = PublicOverlays()

    @property
    def base_url(self) -> str:
        """What links begin with: `url`, else the URL at which this machine reaches nginx."""
        return self.url or url_of(self.listen)

    @field_validator("keys")
    @classmethod
    def _check_keys(cls, keys: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, secret in keys.items():
            if not key_id.isascii() or not key_id.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"the id {key_id!r} must be letters, digits, - and _")
            if len(secret.get_secret_value().encode()) < SHORTEST_KEY:
                raise ValueError(f"the key {key_id!r} must have at least {SHORTEST_KEY} bytes")
        return keys

    @field_validator("cors")
    @classmethod
    def _check_cors(cls, cors: str) -> str:
        if any(character in cors for character in "\"'$;{}\\ \r\n\t"):
            raise ValueError("must be *, one origin such as https://example.org, or empty")
        return cors
