"""The options of overlays: pictures and texts that a recipe's `over` names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gateway.overlays import canonical_place
from gateway.section import Location, Section
from gateway.wording import Wanted

FIELDS = ("copyright", "credit", "creator", "author", "camera", "taken")
"""What a text may say of an image. `copyright` takes metadata.keep, the others metadata.fields, to name it."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_FIELD = re.compile(r"\{([^{}]*)\}")
_COLOUR = re.compile(r"#?([0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?)")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")


def _fonts(value: Any) -> Any:
    return [value] if isinstance(value, str | Path) else value


class Overlay(Section):
    """A picture or a text that is laid on derived images."""

    file: Location | None = Field(None, description="a picture, of any format that originals may have")
    text: str | None = Field(
        None, description=f"a text; of the image {', '.join(f'{{{one}}}' for one in FIELDS)}, where metadata allows it"
    )
    font: Annotated[list[Location], BeforeValidator(_fonts)] = Field(
        [], description="fonts of a text; of several the first that has a letter; none: those of Debian that are here"
    )
    size: Annotated[str, Wanted("a share of the picture's shorter side, such as 4%")] = Field(
        "4%", description="height of a text's letters, of the picture's shorter side", pattern=_SIZE.pattern
    )
    colour: Annotated[str, Wanted("hex rgb or rgba, such as ffffffcc")] = Field(
        "ffffffcc", description="of a text", pattern=f"^{_COLOUR.pattern}$"
    )
    place: str = Field("se:2p:2p:1:own", description="where it lies if a recipe says only its name, as in names.md")
    when: Literal["always", "ai"] = Field(
        "always", description="ai: only where the metadata say that a model made the picture"
    )

    @property
    def share(self) -> float:
        """The height of letters, of 1."""
        return float(self.size.removesuffix("%")) / 100

    @property
    def ink(self) -> str:
        """The colour of a text as eight hex digits."""
        return self.colour.removeprefix("#").lower().ljust(8, "f")

    @property
    def fields(self) -> list[str]:
        """The fields that a text names."""
        return _FIELD.findall(self.text or "")

    @field_validator("place")
    @classmethod
    def _check_place(cls, place: str) -> str:
        return canonical_place(place)

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: str) -> str:
        if not 0.5 <= float(size.removesuffix("%")) <= 100:
            raise ValueError("must be from 0.5% to 100%")
        return size

    @field_validator("text")
    @classmethod
    def _check_text(cls, text: str | None) -> str | None:
        if text is None:
            return None
        for name in _FIELD.findall(text):
            if name not in FIELDS:
                raise ValueError(f"{{{name}}} must be one of {', '.join(FIELDS)}")
        if set("{}") & set(_FIELD.sub("", text)) or not text.strip() or len(text) > 200:
            raise ValueError("must be a text of at most 200 characters, with braces round fields alone")
        return text

    @model_validator(mode="after")
    def _check_kind(self) -> Overlay:
        if (self.file is None) == (self.text is None):
            raise ValueError("must have a file or a text, and not both")
        return self


def _overlays(value: Any) -> Any:
    for name in value if isinstance(value, dict) else ():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} must be lower-case letters, digits and -")
    return value


Overlays = Annotated[dict[str, Overlay], BeforeValidator(_overlays)]


class PublicOverlays(Section):
    """Overlays of the public port."""

    required: list[str] = Field(
        [], description="names of overlays that every derived image of the public port bears", max_length=8
    )
