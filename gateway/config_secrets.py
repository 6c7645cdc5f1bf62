"""Replace `{env: NAME}` and `{file: PATH}` in a configuration by the secrets that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import SecretStr

from gateway.config_lines import Place
from gateway.section import Section

UNREAD = SecretStr("stands for a secret that cannot be read, so that nothing else is found wrong with it")


class Secrets:
    """Puts the values of `{file: PATH}` and `{env: NAME}` where the file names them."""

    def __init__(self, environ: Mapping[str, str], read_file: Callable[[Path], str]) -> None:
        self.environ = environ
        self.read_file = read_file
        self.problems: list[tuple[Place, str]] = []

    def resolve(self, document: Any, section: type[Section], place: Place) -> dict[str, Any]:
        found = dict(document)
        for key, field in section.model_fields.items():
            value, here = found.get(key), (*place, key)
            inner = section_of(section, key)
            if inner is not None and isinstance(value, dict):
                found[key] = self.resolve(value, inner, here)
            elif inner is not None and isinstance(value, list):
                found[key] = [
                    self.resolve(one, inner, (*here, place)) if isinstance(one, dict) else one
                    for place, one in enumerate(value)
                ]
            elif _holds_secret(field.annotation) and value is not None:
                found[key] = self._one(value, here)
            elif isinstance(value, dict) and any(map(_holds_secret, get_args(field.annotation))):
                found[key] = {name: self._one(one, (*here, name)) for name, one in value.items()}
        return found

    def _one(self, value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return SecretStr(value)
        if not isinstance(value, dict) or len(value) != 1 or not isinstance(next(iter(value.values())), str):
            self.problems.append((place, "must be a string, {file: PATH} or {env: NAME}"))
            return UNREAD
        (kind, name), *_ = value.items()
        if kind == "env":
            if name in self.environ:
                return SecretStr(self.environ[name])
            self.problems.append((place, f"the environment variable {name} is not set"))
            return UNREAD
        if kind == "file":
            return self._file(name, place)
        self.problems.append((place, "must be a string, {file: PATH} or {env: NAME}"))
        return UNREAD

    def _file(self, name: str, place: Place) -> SecretStr:
        try:
            return SecretStr(self.read_file(Path(name)).rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.problems.append((place, f"the file {name} cannot be read: {reason}"))
            return UNREAD


def section_of(section: type[Section], key: str) -> type[Section] | None:
    """The section that a key holds, by itself or as the items of a list or mapping."""
    if key not in section.model_fields:
        return None
    return next(_sections(section.model_fields[key].annotation), None)


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)


def _holds_secret(annotation: Any) -> bool:
    """Whether a key holds one secret, or none."""
    if annotation is SecretStr:
        return True
    return get_origin(annotation) is not dict and any(map(_holds_secret, get_args(annotation)))
