"""The options of dialects: the URLs of other image servers. A dialect without a prefix is off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.section import Section
from gateway.units import Size

RESERVED: tuple[str, ...] = ("images", "temp", "health", "metrics", "stats", "formats", "presets", "urls", "purge")
RESERVED += ("warm", "docs", "openapi.json", "counts")
"""What the first segment of a prefix may not be: paths of the two ports themselves."""

SIGNED_DIALECTS: tuple[str, ...] = ()
"""Dialects with signatures of their own; the others need public.access: open."""

_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def _prefix(value: Any) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise ValueError("must be a path such as /iiif/3, of letters, digits, dots, ~, - and _, or empty")
    if value.split("/")[1] in RESERVED:
        raise ValueError(f"/{value.split('/')[1]} is a path of the gateway itself; take another, such as /iiif/3")
    return value


Prefix = Annotated[str, BeforeValidator(_prefix)]


class Iiif(Section):
    """IIIF Image API. It has no signatures, so it needs public.access: open."""

    prefix: Prefix = Field("", description="where version 3.0 is answered, such as /iiif/3; empty: nowhere")
    prefix_2: Prefix = Field("", description="where version 2.1 is answered, such as /iiif/2; empty: nowhere")
    prefix_presentation: Prefix = Field(
        "", description="where folders have a Presentation 3.0 manifest, such as /iiif/presentation; empty: nowhere"
    )
    folders: list[str] = Field([], description="folders whose manifest is public; the API port has it of all")
    tile: int = Field(512, description="pixels of a side of the tiles that info.json names", ge=64, le=4096)
    sizes: Literal["any", "refuse"] = Field(
        "any", description="refuse: only the sizes and tiles that info.json names are made"
    )
    rights: str = Field("", description="the licence's URI in info.json of version 3; empty: none")


class Dialects(Section):
    """URLs of other image servers, answered as the canonical names that they mean. Empty prefixes: off."""

    memory: Size = Field(
        16 * 2**20, description="bytes in which nginx remembers what URLs meant", ge=64 * 2**10, le=2**34
    )
    iiif: Iiif = Iiif()

    def prefixes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """The prefixes that are set: the dialect and its option, and the prefix."""
        for dialect in type(self).model_fields:
            section = getattr(self, dialect)
            if isinstance(section, Section):
                for option, value in section:
                    if option.startswith("prefix") and value:
                        yield (dialect, option), value
