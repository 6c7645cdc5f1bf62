"""The base class of the configuration's sections, and the types of paths and secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, WithJsonSchema


class Section(BaseModel):
    """A mapping of the file. Unknown keys and wrong types are mistakes, and nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path) or str(value) == "":
        raise ValueError("must be a path")
    return Path(value)


Location = Annotated[Path, BeforeValidator(_path), WithJsonSchema({"type": "string"})]

_SECRET_SCHEMA = {
    "oneOf": [
        {"type": "string"},
        {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
        {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"]},
    ]
}
Secret = Annotated[SecretStr, WithJsonSchema(_SECRET_SCHEMA)]
