"""Every option, its type, its default and what it is for. The order here is the order of config.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from gateway.api_settings import Api
from gateway.dialect_settings import Dialects
from gateway.engine_settings import Engine, LimitOptions
from gateway.image_settings import FormatOptions, MetadataOptions, Preset, PresetOrRecipe
from gateway.intake_settings import Intake
from gateway.names import is_preset_word
from gateway.outbox_settings import Cdn, OutboxOptions, Webhook
from gateway.overlay_settings import Overlays
from gateway.page_settings import Ladder
from gateway.public_settings import Public
from gateway.section import Location, Section
from gateway.store_settings import StoreOptions
from gateway.tracing_settings import Tracing
from gateway.units import Seconds, Size
from gateway.wording import Wanted

_SHARE = "^(0|[1-9][0-9]{0,5})/[1-9][0-9]{0,5}$"


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
    revalidate_max: Seconds = Field(
        600.0, description="the same with a tenth of the original's age, at most, where the journal tells of changes"
    )
    journal: Seconds = Field(
        2.0, description="between two readings of the journal, in which nodes on Swift tell of changes", gt=0, le=300
    )
    journal_digest: Literal["auto", "always", "never"] = Field(
        "auto", description="when one node reads the journal for all; auto: while 16 other nodes or more write it"
    )
    journal_lag: Seconds = Field(60.0, description="how late an entry may show in a listing of the journal", ge=10)
    journal_keep: Seconds = Field(7200.0, description="when Swift deletes an entry of the journal", ge=600)
    sweep_share: Annotated[str, Wanted("the number of this node and how many there are, such as 1/3")] = Field(
        "1/1", description="of the derived container's names this node repairs: 2/3 is the second third", pattern=_SHARE
    )

    @field_validator("sweep_share")
    @classmethod
    def _check_share(cls, share: str) -> str:
        number, _, count = share.partition("/")
        if int(number) > int(count):
            raise ValueError(f"{share} must be the number of this node and how many there are, such as 1/3")
        return share


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
    events: list[Webhook] = Field([], description="webhooks that get changes, as {url, secret, kinds}: docs/events.md")
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
    def rungs(self) -> list[int]:
        """The widths of the ladder that an image may have."""
        return [width for width in self.ladder.widths if width <= self.limits.width]

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
