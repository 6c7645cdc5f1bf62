"""The options of the public port that web pages and CDNs ask for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from gateway.cache_tag import LONGEST
from gateway.section import Section
from gateway.wording import Wanted

LEAST_LONGEST = 65  # bytes of a tag that is hashed
_TAKEN = (
    "access-control-allow-origin", "cache-control", "connection", "content-disposition", "content-encoding",
    "content-length", "content-range", "content-security-policy", "content-type", "date", "etag", "expires",
    "last-modified", "link", "location", "server", "set-cookie", "transfer-encoding", "vary", "x-cache",
    "x-content-type-options", "x-request-id",
)  # fmt: skip


class CacheTags(Section):
    """Tags by which a CDN purges, on every answer with an image: one of the image, one of its folder."""

    header: Annotated[str, Wanted("the name of a header, such as Cache-Tag, Surrogate-Key or xkey, or empty")] = Field(
        "",
        description="the CDN's name of the header: Cache-Tag, Surrogate-Key or xkey; empty: no tags",
        pattern=r"^([A-Za-z][A-Za-z0-9-]{0,63})?$",
    )
    longest: int = Field(
        LONGEST, description="bytes of a tag that the CDN takes; a longer one is hashed", ge=LEAST_LONGEST, le=4096
    )

    @field_validator("header")
    @classmethod
    def _check_header(cls, header: str) -> str:
        if header.lower() in _TAKEN:
            raise ValueError(f"{header} has another meaning; must be such as Cache-Tag, Surrogate-Key or xkey")
        return header
