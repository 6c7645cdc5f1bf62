"""Read options from environment variables, one for each; they override the file.

The variable of an option is its path in capitals: `store.swift.temp_url.key` is
IMAGE_GATEWAY_STORE__SWIFT__TEMP_URL__KEY. Its value is what would stand in the file, on one line; a text may do without
YAML's quotes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import SecretStr

from gateway.section import Section
from gateway.settings import Config

PREFIX = "IMAGE_GATEWAY_"
SEPARATOR = "__"  # between the keys of a path; a key itself may hold single underscores
ALIKE = 0.8  # of a name and the one that was meant; the prefix alone makes 0.6

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """A variable that is set, and what it sets. `value` is as the file would give it."""

    variable: str
    keys: Keys
    value: Any
    text: str
    secret: bool

    @property
    def option(self) -> str:
        return ".".join(self.keys)


def variable_of(keys: Keys) -> str:
    """The variable of an option."""
    return PREFIX + SEPARATOR.join(keys).upper()


def variables() -> dict[str, Keys]:
    """The variables of all options, in the order of the file."""
    return {variable_of(keys): keys for keys, _ in _options(Config, ())}


def settings(environ: Mapping[str, str]) -> list[Setting]:
    """What the environment sets. Values that are not YAML are passed on as text, for the option to refuse."""
    return [
        Setting(variable, keys, _value(environ[variable], annotation), environ[variable], _holds(annotation, SecretStr))
        for keys, annotation in _options(Config, ())
        if (variable := variable_of(keys)) in environ
    ]


def unknown(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables that look like an option's and are none, each with what is wrong.

    Only names with a double underscore look like one: Kubernetes sets variables such as IMAGE_GATEWAY_SERVICE_HOST by
    itself, and the commands read IMAGE_GATEWAY_TOKEN.
    """
    known = variables()
    for name in sorted(environ):
        if not name.startswith(PREFIX) or SEPARATOR not in name or name in known:
            continue
        within = [variable for variable in known if variable.startswith(f"{name.upper()}{SEPARATOR}")]
        around = [variable for variable in known if name.upper().startswith(f"{variable}{SEPARATOR}")]
        close = get_close_matches(name.upper(), known, 1, ALIKE)
        if within:
            yield name, f"no option, but a section; its options have variables of their own, such as {within[0]}"
        elif around:
            yield name, f"no option; {around[0]} sets the whole of it, such as {{a: b}}"
        elif close:
            yield name, f"no option; did you mean {close[0]}?"
        else:
            yield name, "no option; `image-gateway config` prints all, and the variable of a.b is IMAGE_GATEWAY_A__B"


def merge(document: Mapping[str, Any], found: list[Setting]) -> dict[str, Any]:
    """The document with the settings put over it. A section that is no mapping stays, for its own mistake."""
    merged = dict(document)
    for setting in found:
        inner: dict[str, Any] = merged
        for key in setting.keys[:-1]:
            below = inner.get(key)
            if below is not None and not isinstance(below, Mapping):
                break
            inner[key] = dict(below or {})
            inner = inner[key]
        else:
            inner[setting.keys[-1]] = setting.value
    return merged


def _options(section: type[Section], keys: Keys) -> Iterator[tuple[Keys, Any]]:
    for key, field in section.model_fields.items():
        if field.exclude:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _options(field.annotation, (*keys, key))
        else:
            yield (*keys, key), field.annotation


def _value(text: str, annotation: Any) -> Any:
    if not _is_text(annotation):
        return _read_yaml(text)
    marks = ("'", '"', "{") if _holds(annotation, SecretStr) else ("'", '"')
    read = _read_yaml(text) if text.startswith(marks) else text
    return read if isinstance(read, str | dict) else text


def _read_yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _is_text(annotation: Any) -> bool:
    """Whether an option is one text, so that nothing in it can mean anything else."""
    if annotation in (str, Path, SecretStr, type(None)):
        return True
    if get_origin(annotation) is Annotated:
        return _is_text(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return all(isinstance(one, str) for one in get_args(annotation))
    if get_origin(annotation) in (list, dict) or not (inner := get_args(annotation)):
        return False
    return all(map(_is_text, inner))


def _holds(annotation: Any, kind: type) -> bool:
    """Whether an option is of this kind, or a list or mapping of some, or of sections that hold one."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return any(_holds(field.annotation, kind) for field in annotation.model_fields.values())
    return annotation is kind or any(_holds(inner, kind) for inner in get_args(annotation))
