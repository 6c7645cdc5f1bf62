"""Print a configuration as a commented YAML file, and its JSON Schema for editors. Secrets are never printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from gateway.section import Section
from gateway.settings import Config
from gateway.units import Printed

COMMENT_COLUMN = 48
LONGEST_LINE = 150

_HEAD = """\
# Image Gateway. Every option, at its default. Sizes take B, KiB, MiB, GiB, TiB; times ms, s, m, h, d; counts k, M, G.
# A secret is a string, {file: PATH} or {env: NAME}. Relative paths start from the folder of this file.
# Environment variables override this file: IMAGE_GATEWAY_STORE__KIND=swift sets store.kind, and so on for every option.
"""


def print_config(config: Config) -> str:
    """The commented file; for the defaults, it loads to exactly the defaults. A secret that is set shows as null."""
    return _HEAD + "\n".join(_section(config, ""))


def json_schema() -> str:
    """The JSON Schema (2020-12) of the file, indented."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(section: Section, indent: str) -> Iterator[str]:
    for key, field in type(section).model_fields.items():
        if field.exclude:
            continue
        value = getattr(section, key)
        if isinstance(value, Section):
            if not indent:
                yield ""
            yield _line(f"{indent}{key}:", _first_line(value))
            yield from _section(value, indent + "  ")
        elif isinstance(value, dict) and value and not indent:
            yield ""
            yield _line(f"{key}:", field.description or "")
            yield from (f"  {word}: {_scalar(one)}" for word, one in value.items())
        else:
            yield _line(f"{indent}{key}: {_value(value, field)}", _describe(value, field))
    if not indent:
        yield ""


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(COMMENT_COLUMN)} # {comment}" if comment else text


def _first_line(section: Section) -> str:
    return (type(section).__doc__ or "").splitlines()[0]


def _describe(value: Any, field: FieldInfo) -> str:
    hidden = isinstance(value, SecretStr) or (
        isinstance(value, dict) and any(isinstance(v, SecretStr) for v in value.values())
    )
    return f"{field.description} (set, not shown)" if hidden else field.description or ""


def _value(value: Any, field: FieldInfo) -> str:
    for mark in field.metadata:
        if isinstance(mark, Printed):
            return mark.write(value)
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    text = yaml.safe_dump(_plain(value), default_flow_style=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Section):
        return {key: _plain(getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
