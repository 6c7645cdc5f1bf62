"""The job that an engine process gets and its result, without image bytes, and the exceptions of the engine.

EngineError
├── NotAnImage     the content is of no format that is accepted        (415)
├── TooLarge       more pixels, frames or bytes than the limits allow  (413)
├── Undecodable    the image is damaged or truncated                   (422)
├── Unsatisfiable  the image cannot be made as the recipe asks         (422)
├── TimedOut       it took longer than its limit and was ended         (504)
├── Crashed        the image crashed the engine process                (422)
├── Malfunction    a mistake of ours, or what the sandbox denies       (500)
├── DiskFull       the disk or the quota is full                       (503)
└── Saturated      the queue is full; carries `retry_after`            (503)
    ├── Interrupted  another process ended the engine process, twice   (503)
    └── Removed    its files or folders were removed while it ran      (503)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Library = Literal["auto", "imagemagick"]
"""`auto` takes the fastest library at equal quality for each step; `imagemagick` takes ImageMagick where it can."""


Gamut = Literal["srgb", "p3"]
"""The colour space of results: sRGB, or Display P3 where the original is wider."""


class EngineError(Exception):
    """An image that could not be made. The text is fit for a client: it names no path."""

    code = "failed"


class NotAnImage(EngineError):
    code = "not-an-image"


class TooLarge(EngineError):
    code = "too-large"


class Undecodable(EngineError):
    code = "undecodable"


class Unsatisfiable(EngineError):
    code = "unsatisfiable"


class TimedOut(EngineError):
    code = "timed-out"


class Crashed(EngineError):
    code = "crashed"


class Malfunction(EngineError):
    """Not the image's fault; the log has the traceback."""

    code = "internal"


class DiskFull(EngineError):
    code = "disk-full"


class Saturated(EngineError):
    code = "saturated"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Interrupted(Saturated):
    code = "interrupted"


class Removed(Saturated):
    code = "removed"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one image: pixels over all frames, number of frames, output box in pixels, seconds."""

    pixels: int
    frames: int
    width: int
    height: int
    time: float = 30.0


@dataclass(frozen=True, slots=True)
class Header:
    """The properties of an image that its header states, read before any decoder opens the file.

    `format` is the word of the vocabulary (`jpg`, `png`, ...). Width and height are pixels as stored, before
    orientation. `orientation` is EXIF's 1..8. `alpha` tells whether the format carries transparency here.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    alpha: bool = False
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class Overlay:
    """An overlay of the configuration: the PNG `file` in sRGB, or `text` set in `fonts`, whose height is `share` of the
    picture's shorter side and whose colour `ink`, in eight hex digits. All paths lead to files whose names change with
    their content."""

    file: str = ""
    text: str = ""
    fonts: tuple[str, ...] = ()
    share: float = 0.04
    ink: str = "ffffffff"
    only_ai: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One thing for an engine process to do with one original.

    `recipe` is canonical: key to canonical value, as `gateway.names` gives it, without the format. `source` is
    the original's file, `output` the file to write (its directory exists; the engine overwrites it, and an empty file
    stands for no result). `quality`
    is the configured default for `format`, 1..100; `effort` is how much work its encoder spends, as `formats.effort`
    counts it, None for the default; `keep` what the configuration lets a recipe keep.
    `fields` are the metadata fields that `describe` and `verify` may report. `library` and `gamut` are `engine.library`
    and `formats.gamut` of the configuration. `overlays` are those that the recipe names. `original` is the file as it
    came and `flaws` are those of it, where `source` is one without them.
    """

    task: Literal["derive", "describe", "verify"]
    source: str
    header: Header
    limits: Limits
    recipe: dict[str, str] = field(default_factory=dict)
    format: str = ""
    output: str = ""
    quality: int = 80
    keep: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    tolerant: bool = False
    library: Library = "auto"
    gamut: Gamut = "srgb"
    effort: int | None = None
    original: str = ""
    flaws: tuple[str, ...] = ()
    overlays: dict[str, Overlay] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job: the written image's format, size in pixels, frames and bytes; seconds by stage.

    For `describe`, `output` holds the JSON document and `format` is `json`. For `verify`, it is the original that is
    described here; `output` holds the document, unless none could be made. `flaws` are those that were found in an
    original that has all of its pixels; with `silent` the decoder tells of them, and told of none. `transcoded` tells
    that the pixels are the original's in another coding, `anew` why an original that was to be copied had to be encoded
    once more.
    """

    format: str
    width: int
    height: int
    frames: int
    bytes: int
    stages: dict[str, float] = field(default_factory=dict)
    flaws: tuple[str, ...] = ()
    transcoded: bool = False
    anew: str = ""
    silent: bool = False
