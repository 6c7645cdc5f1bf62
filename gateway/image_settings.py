"""The options of images: formats, presets, and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, field_validator

from gateway.rules import ACCEPTED, DEFAULT_EFFORT, DEFAULT_QUALITY, FORMATS, MOST_EFFORT, NEGOTIATED, ORIGINAL_FORMATS
from gateway.section import Section

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
Percent = Annotated[int, Field(ge=1, le=100)]
Quality = dict[Lossy, Percent]


def _effort(format: str, description: str) -> Any:
    return Field(DEFAULT_EFFORT[format], description=description, ge=0, le=MOST_EFFORT[format])


class Effort(Section):
    """How much work encoders spend on an image; more takes longer and saves bytes."""

    jpg: int = _effort("jpg", "0: baseline; 1: progressive; both with optimised tables")
    png: int = _effort("png", "0: fast, by content; 1 to 3: levels 5, 7 and 9 of libdeflate")
    webp: int = _effort("webp", "libwebp's method, 0 to 6")
    avif: int = _effort("avif", "0 to 9; libavif's speed is 9 less that, of animations 10 less, at most 9")
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
        description="what auto may become, best first: jxl takes less CPU than avif, and fewer bytes of large images",
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
