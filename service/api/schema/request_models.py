"""The base classes of the models of requests: of their query, and of their JSON body."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from gateway.units import read_seconds

LONGEST_NAME = 2048  # characters of an image's name and the recipe of a derived one


class Query(BaseModel):
    """The parameters of a URL. An unknown one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Body(BaseModel):
    """A JSON body. An unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


ImageName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]


def _truth(value: Any) -> Any:
    """The older clients' True and False, and 1 and 0."""
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, str):
        if value.lower() not in words:
            raise ValueError("must be true or false")
        return words[value.lower()]
    return value


def _seconds(value: Any) -> Any:
    return round(read_seconds(value)) if isinstance(value, str) else value


Lifetime = Annotated[
    int,
    BeforeValidator(_seconds),
    Field(ge=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": "^[1-9][0-9]{0,8}[smhd]?$", "examples": ["1h"]},
            ]
        }
    ),
]
"""Whole seconds, as a number or as a time such as 90s, 10m or 1h."""

Truth = Annotated[bool, BeforeValidator(_truth)]
