"""The base classes of the models of requests: of their query, and of their JSON body."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

LONGEST_NAME = 2048  # characters of an image's name and the recipe of a derived one


class Query(BaseModel):
    """The parameters of a URL. An unknown one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """A JSON body. An unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


ImageName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]


def _truth(value: Any) -> Any:
    """The older clients' True and False, and 1 and 0."""
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, str):
        if value.lower() not in words:
            raise ValueError("must be true or false")
        return words[value.lower()]
    return value


Truth = Annotated[bool, BeforeValidator(_truth)]
