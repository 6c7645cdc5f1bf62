"""Every option, its type, its default and what it is for. The order here is the order of config.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from gateway.dialect_settings import Dialects
from gateway.hosts import HostName
from gateway.intake_settings import Intake
from gateway.names import is_preset_word
from gateway.outbox_settings import Cdn, OutboxOptions, Webhook
from gateway.overlay_settings import Overlays
from gateway.page_settings import Ladder
from gateway.public_settings import Public
from gateway.rules import ACCEPTED, DEFAULT_EFFORT, DEFAULT_QUALITY, FORMATS, MOST_EFFORT, NEGOTIATED, ORIGINAL_FORMATS
from gateway.section import Location, Section
from gateway.store_settings import StoreOptions
from gateway.tracing_settings import Tracing
from gateway.units import Count, Listen, Network, Seconds, Size, is_loopback, url_of
from gateway.wording import Wanted

__all__ = ["Api", "Cache", "Config", "Engine", "FormatOptions", "LimitOptions", "Log", "MetadataOptions"]
__all__ += ["Public", "Runtime", "Token", "Tracing"]

if TYPE_CHECKING:  # the vocabulary is the list of formats, which a type checker cannot read
    Format: TypeAlias = str
    Source: TypeAlias = str
    Negotiated: TypeAlias = str
    DefaultFormat: TypeAlias = str
    Lossy: TypeAlias = str
else:
    Format, Source, Negotiated = Literal[FORMATS], Literal[ORIGINAL_FORMATS], Literal[NEGOTIATED]
    DefaultFormat, Lossy = Literal[(*FORMATS, "source", "auto")], Literal[tuple(DEFAULT_QUALITY)]
TEXT, MAPPING = "[text]", "[mapping]"  # of a value that may be either, in the place of a mistake
Scope = Literal["read", "write", "delete", "url", "sign", "metrics"]
Percent = Annotated[int, Field(ge=1, le=100)]
Quality = dict[Lossy, Percent]


def _processes(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 256):
        return value
    raise ValueError("must be auto, or a whole number from 1 to 256")


Processes = Annotated[Literal["auto"] | int, BeforeValidator(_processes)]


def resolve_listen(listen: str, *, tokens: bool) -> str:
    """`auto:PORT` as HOST:PORT. It suits containers: the port can be published once it asks for a token."""
    if not listen.startswith("auto:"):
        return listen
    host = "0.0.0.0" if tokens else "127.0.0.1"  # noqa: S104  # that is what it is for
    return f"{host}:{listen.removeprefix('auto:')}"


class Token(Section):
    """One client of the API."""

    name: Annotated[str, Wanted("1 to 64 letters, digits, dots, - and _")] = Field(
        description="who it is, for the log", pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    sha256: Annotated[str, Wanted("64 digits of hex in small letters, as sha256sum prints them")] = Field(
        description="SHA-256 of the token, in hex", pattern=r"^[0-9a-f]{64}$"
    )
    scopes: list[Scope] = Field(["read"], description="what it may do: read, write, delete, url, sign, metrics")


class Api(Section):
    """The API port, for internal clients."""

    listen: Listen = Field(
        "127.0.0.1:8081", description="where the API listens; auto:PORT: everywhere with tokens, on loopback without"
    )
    tokens: list[Token] = Field(
        default_factory=list,
        description="bearer tokens, as {name, sha256, scopes}; none: only loopback may be listened on",
    )
    hosts: list[HostName] = Field(
        [], description="names that requests may have in Host and Origin, beside localhost and that of listen"
    )
    trusted_proxies: list[Network] = Field(
        [], description="as for public, of what stands before the API; its audit tells who asks"
    )
    page: bool = Field(True, description="serve the workbench at /, a page to browse, try, put in and watch images")
    allow_anonymous_network: bool = Field(
        False,
        description="listen beyond loopback although there are no tokens: anyone who reaches the port may do anything",
    )

    @property
    def page_url(self) -> str:
        """The URL of the workbench for clients on this machine; empty where they cannot reach it by loopback."""
        return f"{url_of(self.listen)}/" if self.page and is_loopback(self.listen) else ""

    @model_validator(mode="before")
    @classmethod
    def _resolve_listen(cls, options: Any) -> Any:
        if isinstance(options, dict) and isinstance(options.get("listen"), str):
            return {**options, "listen": resolve_listen(options["listen"], tokens=bool(options.get("tokens")))}
        return options


class Cache(Section):
    """The caches of this node. Everything in them may be deleted at any time, and is made again."""

    root: Location = Field(Path("var/cache"), description="one file system, best a fast one")
    derived: Size = Field(10 * 2**30, description="bytes of derived images on disk")
    derived_per_image: int = Field(
        4096, description="derived images of one image on disk; those unused for longest go first; 0: no limit", ge=0
    )
    originals: Size = Field(2 * 2**30, description="bytes of originals on disk")
    memory: Size = Field(256 * 2**20, description="bytes in the service's memory")
    persist: Literal["auto", "always", "url", "never"] = Field(
        "auto",
        description="when a derived image goes to the store: always, url (with a URL), never; auto: always in Swift",
    )
    revalidate: Seconds = Field(60.0, description="how old what is known of an original may be")
    journal: Seconds = Field(
        2.0, description="between two readings of the journal, in which nodes on Swift tell of changes", gt=0
    )
    journal_lag: Seconds = Field(60.0, description="how late an entry may show in a listing of the journal", ge=10)
    journal_keep: Seconds = Field(7200.0, description="when Swift deletes an entry of the journal", ge=600)


class Engine(Section):
    """The processes in which images are decoded and made."""

    processes: Processes = Field("auto", description="auto: one for each core")
    library: Literal["auto", "imagemagick"] = Field(
        "auto",
        description="auto: the fastest library for each step at equal quality; imagemagick: ImageMagick if it can",
    )
    memory: Size = Field(2**30, description="address space that one may use for an image", ge=128 * 2**20)
    recycle: int = Field(500, description="jobs after which a process is replaced", ge=1)


class LimitOptions(Section):
    """What one request may cost."""

    upload: Size = Field(100 * 2**20, description="bytes of an original", ge=1)
    pixels: Count = Field(100 * 10**6, description="of an original, all frames together", ge=1)
    frames: int = Field(500, description="of an animation", ge=1, le=100000)
    width: int = Field(4096, description="of a derived image", ge=1, le=65535)
    height: int = Field(4096, description="of a derived image", ge=1, le=65535)
    time: Seconds = Field(30.0, description="for one image", gt=0)
    queue: int = Field(128, description="images that may wait for an engine process, in each of its lanes", ge=1)
    rate: float = Field(
        0.0,
        description="misses per second of one client address, the rest is answered 429; 0: no limit",
        ge=0,
        le=100000,
    )
    archive_files: int = Field(1000, description="images in one archive", ge=1, le=100000)
    archive_bytes: Size = Field(2**30, description="bytes of one archive", ge=1)
    store_bytes: Size = Field(0, description="bytes of all originals together; 0: no limit")
    store_images: Count = Field(0, description="originals in the store; 0: no limit")


def _effort(format: str, description: str) -> Any:
    return Field(DEFAULT_EFFORT[format], description=description, ge=0, le=MOST_EFFORT[format])


class Effort(Section):
    """How much work encoders spend on an image; more takes longer and saves bytes."""

    jpg: int = _effort("jpg", "0: baseline; 1: progressive; both with optimised tables")
    webp: int = _effort("webp", "libwebp's method, 0 to 6")
    avif: int = _effort("avif", "0 to 9; libavif's speed is 9 less that")
    jxl: int = _effort("jxl", "0 to 8; libjxl's effort is 1 more")


class FormatOptions(Section):
    """Formats in and out."""

    default: DefaultFormat = Field(
        "source", description="of a request that names none: source (the original's), auto, or a format"
    )
    accept: list[Source] = Field(list(ACCEPTED), description="what originals may be", min_length=1)
    out: list[Format] = Field(
        list(FORMATS), description="what may be asked for, where it can be written here", min_length=1
    )
    negotiate: list[Negotiated] = Field(
        list(NEGOTIATED),
        description="what auto may become, best first: jxl has avif's bytes for two thirds of its CPU",
    )
    quality: Quality = Field(dict(DEFAULT_QUALITY), description="q where the request gives none")
    effort: Effort = Field(Effort(), description="how much work encoders spend; more takes longer and saves bytes")
    gamut: Literal["srgb", "p3"] = Field(
        "srgb", description="p3: an original of more colours than sRGB leaves as Display P3 (AVIF, WebP, JPEG, PNG)"
    )
    tolerate_truncated: bool = Field(
        False, description="show what there is of a truncated or damaged original, instead of refusing it"
    )

    @field_validator("quality", mode="after")
    @classmethod
    def _fill_quality(cls, quality: Quality) -> Quality:
        return {**DEFAULT_QUALITY, **quality}


class Preset(Section):
    """A preset that is more than its recipe."""

    recipe: str = Field(description="operations, as in a name: w=50,h=50")
    eager: bool = Field(False, description="make it of each upload, behind the answer, in the default format")


PresetOrRecipe = Annotated[
    Annotated[str, Tag(TEXT)] | Annotated[Preset, Tag(MAPPING)],
    Discriminator(lambda value: MAPPING if isinstance(value, dict | Preset) else TEXT),
]


METADATA_FIELDS = (
    "format", "width", "height", "frames", "duration", "bytes", "colour_space", "depth", "alpha", "orientation",
    "taken", "camera", "dominant_colour", "placeholder", "flaws", "digital_source_type", "c2pa",
)  # fmt: skip
PRIVATE_FIELDS = ("position", "author", "serial", "credit", "creator")


class MetadataOptions(Section):
    """Metadata: what is shown of an image, and what may stay in it."""

    fields: list[str] = Field(
        list(METADATA_FIELDS), description=f"of @meta.json; never by default: {', '.join(PRIVATE_FIELDS)}"
    )
    keep: list[Literal["copyright", "icc", "provenance"]] = Field(
        [], description="what a recipe's keep may name: copyright, icc, provenance"
    )

    @field_validator("fields")
    @classmethod
    def _check_fields(cls, fields: list[str]) -> list[str]:
        known = METADATA_FIELDS + PRIVATE_FIELDS
        for name in fields:
            if name not in known:
                raise ValueError(f"{name!r} must be one of {', '.join(known)}")
        return fields


class Runtime(Section):
    """Sockets, process ids, the rendered nginx configuration."""

    root: Location = Field(Path("var/run"), description="a folder of this gateway's own")
    nginx: str = Field(
        "", description="the program to run as nginx; empty: OpenResty where it is installed, else nginx"
    )


class Log(Section):
    """The log, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")
    format: Literal["text", "json"] = Field("text", description="text for people, json for machines")
    slow: Seconds = Field(1.0, description="a request that takes longer is logged, stage by stage")


class Config(Section):
    """The whole configuration, a field for each section. `base` and `stamps` are no options:
    the folder of the file, and what the service has read of the overlays."""

    public: Public = Public()
    api: Api = Api()
    store: StoreOptions = StoreOptions()
    intake: Intake = Intake()
    cache: Cache = Cache()
    engine: Engine = Engine()
    limits: LimitOptions = LimitOptions()
    formats: FormatOptions = FormatOptions()
    presets: dict[str, PresetOrRecipe] = Field(
        {"thumbnail": "w=50,h=50,sharpen=0.5"},
        description="recipes by a bare word: @thumbnail.webp; {recipe: w=50, eager: true} is made with each upload",
    )
    ladder: Ladder = Ladder()
    overlays: Overlays = Field(
        default_factory=dict, description="pictures and texts for over, by name: {logo: {file: logo.png}}"
    )
    metadata: MetadataOptions = MetadataOptions()
    dialects: Dialects = Dialects()
    events: list[Webhook] = Field(
        [], description="webhooks that hear of changes, as {url, secret, kinds}: docs/events.md"
    )
    cdn: Cdn = Cdn()
    outbox: OutboxOptions = OutboxOptions()
    runtime: Runtime = Runtime()
    log: Log = Log()
    tracing: Tracing = Tracing()

    base: SkipJsonSchema[Path] = Field(Path(), exclude=True, description="the folder that relative paths start from")
    stamps: SkipJsonSchema[dict[str, str]] = Field(
        default_factory=dict, exclude=True, description="a hash of each overlay and of all that it looks like, in hex"
    )

    @property
    def recipes(self) -> dict[str, str]:
        """The recipe of each preset."""
        return {word: one if isinstance(one, str) else one.recipe for word, one in self.presets.items()}

    @property
    def eager_presets(self) -> list[str]:
        """The presets that are made with each upload."""
        return [word for word, one in self.presets.items() if isinstance(one, Preset) and one.eager]

    @field_validator("presets")
    @classmethod
    def _check_presets(cls, presets: dict[str, str | Preset]) -> dict[str, str | Preset]:
        for word in presets:
            if not is_preset_word(word):
                raise ValueError(f"{word!r} must be lower-case letters, digits, - and _, and not full or meta")
        return presets
