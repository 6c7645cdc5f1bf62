"""The options of the public port that web pages and CDNs ask for."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model, field_validator

from gateway.cache_tag import LONGEST
from gateway.errors import Refused
from gateway.ladder import DEFAULT_WIDTHS
from gateway.names import check_image
from gateway.section import Section
from gateway.units import Seconds
from gateway.wording import Wanted

LEAST_LONGEST = 65  # bytes of a tag that is hashed
_TAKEN = (
    "access-control-allow-origin", "cache-control", "connection", "content-disposition", "content-encoding",
    "content-length", "content-range", "content-security-policy", "content-type", "date", "etag", "expires",
    "last-modified", "link", "location", "server", "set-cookie", "transfer-encoding", "vary", "x-cache",
    "x-content-type-options", "x-request-id",
)  # fmt: skip


def _snap(value: Any) -> Any:
    return "off" if value is False else value  # what YAML makes of an off without quotes


class Ladder(Section):
    """The widths that pages ask for: bounded on the public port, and made ahead of time by `warm --ladder`."""

    widths: list[Annotated[int, Field(ge=1, le=65535)]] = Field(
        list(DEFAULT_WIDTHS), description="ascending, in pixels", min_length=1, max_length=64
    )
    snap: Annotated[Literal["off", "up", "refuse"], BeforeValidator(_snap)] = Field(
        "off", description="of other widths on the public port: up makes the next one of them, refuse answers 400"
    )

    @field_validator("widths")
    @classmethod
    def _check_widths(cls, widths: list[int]) -> list[int]:
        if any(one >= other for one, other in pairwise(widths)):
            raise ValueError("must ascend, such as [160, 320, 640]")
        return widths


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


FALLBACK_STATUSES = (404, 413, 415, 422, 504)
"""What the service answers about an image that it cannot give. All other errors are nginx's own, or are about the
request: a picture in their place would hide a mistake, or cost work that a refusal saves."""


def _statuses(statuses: list[int]) -> list[int]:
    if not statuses or any(status not in FALLBACK_STATUSES for status in statuses):
        raise ValueError(f"must be one or more of {', '.join(map(str, FALLBACK_STATUSES))}")
    return statuses


class _FallbackImage(Section):
    image: str = Field(
        "",
        description="an image of the store that is shown in place of an error, such as site/missing.png; empty: none",
    )

    @field_validator("image")
    @classmethod
    def _check_image(cls, image: str) -> str:
        try:
            return image and check_image(image)
        except Refused as refused:
            raise ValueError(refused.detail) from None


_FIELDS: dict[str, Any] = {  # a keyword of Python's, so no class can name it
    "for": (
        list[int],
        Field([404], description=f"the errors that it replaces, of {', '.join(map(str, FALLBACK_STATUSES))}"),
    )
}
_CHECKS: dict[str, Any] = {"check_for": field_validator("for")(_statuses)}
_WithStatuses = create_model("_WithStatuses", __base__=_FallbackImage, __validators__=_CHECKS, **_FIELDS)


class Fallback(_WithStatuses):
    """An image in the asked size in place of an error, where a browser expects an image."""

    keep_status: bool = Field(True, description="answer with the status of the error, not with 200")
    max_age: Seconds = Field(10.0, description="how long caches may keep it", ge=0, le=86400)

    @property
    def statuses(self) -> tuple[int, ...]:
        """The errors that it replaces; none where there is no image."""
        return tuple(getattr(self, "for")) if self.image else ()
