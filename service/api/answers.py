"""What the API answers, as models: the service writes them, its document describes them, the client reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Reply(BaseModel):
    """A JSON object of an answer. A client passes over keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Problem(Reply):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="a URN whose last part is the code of the documentation's table")
    title: str
    status: int
    detail: str


class Links(Reply):
    """Where to find an image."""

    self: str = Field(description="on the API, as a path")
    public: str | None = Field(description="on the public port, for ever cacheable; null where it needs a signature")
    presets: dict[str, str] = Field(description="its presets on the public port")


class StoredImage(Reply):
    """An image that has been stored."""

    name: str
    bytes: int
    etag: str = Field(description="of the original, unquoted; for If-Match, and as v= in public URLs")
    content_type: str
    format: str = Field(description="what the content is")
    md5: str
    sha256: str
    created: bool = Field(description="false where it replaced another")
    url: str = Field(description="on the public port, with the version in it")
    links: Links
    metadata: dict[str, Any] | None = Field(description="as @meta.json; null where it could not be read in time")


class UploadResult(Reply):
    """What became of one of several files."""

    name: str
    status: int
    image: StoredImage | None = None
    problem: Problem | None = None


class ListedImage(Reply):
    """An image in a listing."""

    name: str
    bytes: int
    etag: str = Field(description="unquoted")
    content_type: str
    modified: datetime


class Listing(Reply):
    """A page of names in byte order. It may be short, or empty, and have a next one."""

    images: list[ListedImage]
    folders: list[str] = Field(description="what the names share up to the delimiter")
    next: str | None = Field(description="the path of the next page; null on the last")


class TemporaryUrlResult(Reply):
    """A URL that anyone may GET until it ends, or why there is none."""

    name: str = Field(description="as it was asked for")
    object: str | None = Field(None, description="the name of what the URL gives")
    url: str | None = None
    expires: int | None = Field(None, description="seconds since the epoch")
    problem: Problem | None = None


class MetadataResult(Reply):
    """The metadata of one of several images, or why there is none."""

    name: str
    metadata: dict[str, Any] | None = None
    problem: Problem | None = None


class Manifest(Reply):
    """The last file of an archive: how many images it holds, and which it does not hold."""

    images: int
    bytes: int
    failed: list[MissingImage]


class MissingImage(Reply):
    """An image that an archive was asked for and does not hold."""

    name: str
    problem: Problem


class Purged(Reply):
    """What a purge removed."""

    images: int = Field(description="images whose derived images were removed")
    files: int = Field(description="files that were removed on this node")
    objects: int = Field(description="objects that were removed from the derived container")


class Formats(Reply):
    """Formats in and out, as the configuration allows and this machine's ImageMagick can."""

    accepted: list[str] = Field(alias="in")
    out: dict[str, str] = Field(description="content types by format")
    default: str
    negotiate: list[str] = Field(description="what auto may become, the preferred first")
    quality: dict[str, int]


class Health(Reply):
    """Whether the service can do its work."""

    status: str
    checks: dict[str, str] = Field(default_factory=dict)


def when(seconds: float) -> datetime:
    """A time of the store, to the millisecond."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)
