"""The models of the API's answers: written by the service, described in the OpenAPI document, read by the client."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

NDJSON = "application/x-ndjson"
PROBLEM_JSON = "application/problem+json"


class Reply(BaseModel):
    """A JSON object of an answer. A client passes over keys that it does not know. What checks it is built when it is
    first used, since a start uses few."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Problem(Reply):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="a URN whose last part is the code of the documentation's table")
    title: str
    status: int
    detail: str


class Event(Reply):
    """A change, as webhooks get it."""

    type: str = Field(description="image.created, image.replaced, image.deleted or image.purged")
    timestamp: str = Field(description="when it was made, in UTC")
    data: dict[str, Any] = Field(description="name, with bytes, content_type, md5 and sha256; names, prefix, or all")


class Events(Reply):
    """The changes that a node has made, the oldest first."""

    events: list[Event]
    next: str = Field(description="for `after`, to ask for what comes later")


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


class Picture(Reply):
    """What an `<img>` needs to show an image at several widths."""

    name: str
    src: str = Field(description="the widest, for clients that read no srcset")
    srcset: str
    sizes: str
    width: int = Field(description="of the widest, in pixels; with `height` it keeps the place of the image")
    height: int
    placeholder: str | None = Field(None, description="the look of the image as a data URL, of its ThumbHash")
    expires: int | None = Field(None, description="seconds since the epoch, of signatures that end")


class DirectUpload(Reply):
    """An upload that has begun: where its bytes are to be sent, and how it is finished."""

    id: str = Field(description="opaque; for this name only, on every node")
    method: str = Field("PUT", description="of the request that sends the bytes")
    url: str = Field(description="anyone may send the bytes there, without a token, until it expires")
    headers: dict[str, str] = Field(description="to be sent with them")
    expires: int = Field(description="seconds since the epoch, of the URL and of the upload")
    finish: str = Field(description="the path to POST to when the bytes are there")


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


class TreeStats(Reply):
    """One tree of files on this node's disk, against its budget."""

    bytes: int = Field(description="of disk, in whole blocks")
    files: int = Field(description="folders and markers included")
    most_bytes: int
    most_files: int
    evicted: int = Field(description="files")
    rounds: int = Field(description="in which the eviction has looked through the whole tree")
    counted: bool = Field(description="whether what was there at the start is in these numbers")
    oldest: float | None = Field(
        description="seconds since the file was used that was not for longest, by the last count; null before the first"
    )
    newest: float | None = Field(
        description="seconds since any file was used, by the last count; null before the first"
    )


class WalkStats(Reply):
    """The walk through this node's share of the derived container, which removes what is of former originals."""

    share: str = Field(description="`cache.sweep_share`")
    age: float | None = Field(description="seconds since a walk ended; null before the first")
    part: float | None = Field(description="of the walk that is done, 0 to 1; null: unknown")
    objects: int = Field(description="that this walk has looked at")
    removed: int = Field(description="of these, as their original is gone or another")


class Stats(Reply):
    """How the caches of this node are: what is there now, and what has happened since the start."""

    running: float = Field(description="seconds since the start")
    answered: dict[str, int] = Field(description="answers by X-Cache, on both ports, nginx's own included")
    hit_ratio: float = Field(description="of these, the part that had not to be made; 0 to 1")
    refused: int = Field(description="answers with a status of 400 and above, on both ports, nginx's own included")
    seconds: dict[str, int] = Field(
        description="derived images, as the service answered them: how many took at most so many seconds, cumulative"
    )
    derived: TreeStats
    originals: TreeStats
    memory_bytes: int
    memory_images: int
    most_memory_bytes: int
    flights: int = Field(description="derived images that are being found or made")
    shared: int = Field(description="requests that waited for another's flight")
    failures_remembered: int = Field(description="images that are known not to be makeable as asked, for a minute")
    disk_failures: dict[str, int] = Field(description="of the caches' disk, by the system's name of the error")
    access_times: bool = Field(description="whether the mount says what was read; else nginx notes it")
    swept: float | None = Field(
        description="seconds since the caches were last compared with the store's listing; null if they never were"
    )
    sweep_seconds: float = Field(description="that this comparison took")
    listed: int = Field(description="originals in the store at the last look")
    jpeg_bytes: int = Field(
        description="bytes of these originals that are JPEG by their content type in the listing; where they are not"
        " listed, an estimate by those that the last walk through the derived container has met"
    )
    jpeg_xl_saves: int = Field(
        description="how many of these JPEG XL without loss would save: an estimate by what it has saved on this node"
    )
    jpeg_xl_measured: int = Field(
        description="JPEGs that became JPEG XL here since the start, by which that is estimated; 0 below 20 of them:"
        " then it is 18 %, as of photographs of cameras"
    )
    cached: int = Field(description="images of which this node held something, then")
    suspected: int = Field(description="images that differed, and of which the store was asked")
    sweeps_failed: int
    revalidation: str = Field(
        description="how changes are found that no gateway has made: head, the store is asked for images that are used;"
        " list, its listing is compared"
    )
    due: int = Field(description="images that are used, and of which the store is to be asked")
    oldest_due: float = Field(description="seconds for which the first of them waits; 0 where there is none")
    asked: int = Field(description="questions of this kind since the start")
    asks_failed: int
    journal_age: float | None = Field(
        description="seconds since the journal was last read to its end; null if there is none"
    )
    settled: bool | None = Field(
        description="whether what other nodes changed while this one was away is forgotten; null without a journal"
    )
    unproven_bytes: int = Field(
        description="bytes of derived images of unknown age: served again when the store says that they are current"
    )
    proved: int = Field(description="images that are served again so")
    journal_waiting: int = Field(description="entries of the journal that could not be written yet")
    journal_failed: int = Field(description="reads of the journal that failed")
    walk: WalkStats


class WarmProgress(Reply):
    """How far a warming is: a line at least every second, and one for each image that cannot be made."""

    done: int = Field(description="derived images that were looked at")
    made: int = Field(description="of these, the ones that were not there")
    failed: int = Field(description="of these, the ones that cannot be made")
    passed_over: int = Field(0, description="of these, the ones whose original is no image of an accepted format")
    total: int | None = Field(description="null until the listing has been counted")
    name: str | None = Field(None, description="a derived image that cannot be made")
    code: str | None = Field(None, description="why: the code of the problem")
    problem: Problem | None = Field(None, description="on the last line, why it ended before all was done")


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
