"""One YAML file to one typed, checked configuration; every mistake at once, each with its line and what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from gateway import environment
from gateway.errors import ContractError, Refused
from gateway.names import preset_recipe
from gateway.recipes import canonicalise
from gateway.rules import VOCABULARY, Rules
from gateway.section import Section
from gateway.settings import Config
from gateway.store_settings import DirectoryTempUrl, TempUrl
from gateway.units import is_loopback
from gateway.uri import is_ignored
from gateway.wording import explain

Place = tuple[str | int, ...]
LONGEST_SOCKET_PATH = 107  # bytes: sizeof(sun_path) - 1, see unix(7)
SOCKET_NAME = "service.sock"
UNQUOTABLE = '"$\\;{}'
UNREAD = SecretStr("stands for a secret that cannot be read, so that nothing else is found wrong with it")


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing that is wrong with the configuration, and what would be right."""

    line: int
    file: str
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return f"{where}{self.key}: {self.text}" if self.key else f"{where}{self.text}"


class ConfigError(ContractError):
    """The configuration cannot be used; `mistakes` has all that is wrong with it, in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


def load(text: str, *, file: str, base: Path, environ: Mapping[str, str], read_file: Callable[[Path], str]) -> Config:
    """The configuration in `text`, under what the environment sets; relative paths start from `base`.

    `environ` and `read_file` are also where `{env: NAME}` and `{file: PATH}` secrets come from; `read_file` raises
    OSError. Raises ConfigError with every mistake.
    """
    lines = _Lines(file)
    document = lines.read(text)
    if lines.mistakes:
        raise ConfigError(sorted(lines.mistakes))
    found = environment.settings(environ)
    lines.variables = {setting.keys: setting.variable for setting in found}
    document = environment.merge(document, found)
    secrets = _Secrets(environ, lambda path: read_file(base / path))
    document = secrets.resolve(document, Config, ())
    mistakes = [lines.mistake(place, why) for place, why in secrets.problems]
    mistakes += [Mistake(0, variable, "", why) for variable, why in environment.unknown(environ)]
    config: Config | None = None
    try:
        config = Config.model_validate({**document, "base": base})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            place = tuple(step for step in detail["loc"] if step != "[key]")  # a mapping's key, not what it maps to
            mistakes.append(lines.mistake(place, _explain(detail, place)))
    if config is not None:
        mistakes += [lines.mistake(place, why) for place, why in _combinations(config)]
    if mistakes or config is None:
        raise ConfigError(sorted(mistakes))
    return config


def defaults(base: Path) -> Config:
    """The configuration of an empty file."""
    return Config(base=base)


def rules_of(config: Config, writable: set[str] | None = None) -> Rules:
    """The part of the configuration that reading a request takes; `writable` are the formats this machine can make."""
    out = [word for word in config.formats.out if writable is None or word in writable]
    return Rules(
        limits={"width": config.limits.width, "height": config.limits.height, "frames": config.limits.frames},
        quality={str(word): value for word, value in config.formats.quality.items()},
        out=out,
        default_format=config.formats.default,
        negotiate=tuple(word for word in config.formats.negotiate if word in out),
        keep=tuple(config.metadata.keep),
        presets=config.presets,
        access=config.public.access,
        keys={key_id: secret.get_secret_value() for key_id, secret in config.public.keys.items()},
        metadata=config.public.metadata,
        max_age=int(config.public.max_age),
        preset_max_age={preset: int(seconds) for preset, seconds in config.public.preset_max_age.items()},
        ignored_query=tuple(config.public.ignored_query),
    )


def _combinations(config: Config) -> Iterator[tuple[Place, str]]:
    """What is right key by key, and wrong together."""
    rules = rules_of(config)
    for word in config.presets:
        try:
            canonicalise(preset_recipe(word, rules), "auto", rules)
        except Refused as refused:
            yield ("presets", word), refused.detail.removeprefix(f"preset {word}: ")
    for preset in config.public.preset_max_age:
        if preset not in config.presets:
            yield ("public", "preset_max_age", preset), f"no such preset; there are {', '.join(config.presets)}"
    yield from _dropped_words(config, rules)
    if config.public.access == "signed" and not config.public.keys:
        yield ("public", "keys"), "access: signed needs at least one key, such as {first: {env: IMAGE_GATEWAY_KEY}}"
    if not config.api.tokens and not config.api.allow_anonymous_network and not is_loopback(config.api.listen):
        yield ("api", "listen"), "without tokens the API listens on loopback only: set api.tokens, or 127.0.0.1:PORT"
    if config.public.listen == config.api.listen:
        yield ("api", "listen"), "the API and the public port need addresses of their own"
    if config.formats.default not in (*config.formats.out, "source", "auto"):
        yield ("formats", "default"), f"must be source, auto, or one of formats.out: {', '.join(config.formats.out)}"
    for place, path in (
        (("cache", "root"), config.cache.root),
        (("runtime", "root"), config.runtime.root),
        ((), config.base),
    ):
        if any(character in UNQUOTABLE or ord(character) < 32 for character in str(path)):
            yield place, f"must not hold control characters or any of {UNQUOTABLE}, which nginx cannot quote: {path}"
    socket = config.base / config.runtime.root / SOCKET_NAME
    if len(str(socket).encode()) > LONGEST_SOCKET_PATH:
        yield ("runtime", "root"), f"too long for a socket ({LONGEST_SOCKET_PATH} bytes at most): {socket}"
    yield from _lifetimes("swift", config.store.swift.temp_url)
    yield from _lifetimes("directory", config.store.directory.temp_url)


def _lifetimes(kind: str, urls: TempUrl | DirectoryTempUrl) -> Iterator[tuple[Place, str]]:
    if urls.lifetime > urls.max_lifetime:
        yield ("store", kind, "temp_url", "lifetime"), "must be at most max_lifetime"


def _dropped_words(config: Config, rules: Rules) -> Iterator[tuple[Place, str]]:
    """The patterns of query keys to drop that match a key which has a meaning."""
    for place, pattern in enumerate(config.public.ignored_query):
        for word in (*rules.query_words, *VOCABULARY["api_parameters"]):
            if is_ignored(word, [pattern]):
                yield ("public", "ignored_query", place), f"{pattern} would drop {word}, which has a meaning here"
                break


def _explain(detail: ErrorDetails, place: Place) -> str:
    options = _section_at(place[:-1]).model_fields
    if detail["type"] == "extra_forbidden":
        known = [key for key in options if key != "base"]
        close = get_close_matches(str(place[-1]), known, 1)
        return f"unknown key; did you mean {close[0]}?" if close else f"unknown key; there are {', '.join(known)}"
    return explain(detail, options.get(str(place[-1])))


def _section_at(place: Place) -> type[Section]:
    """The section that a mapping of the file is, or lies in."""
    section: type[Section] = Config
    for step in place:
        if isinstance(step, str) and (inner := _section_of(section, step)) is not None:
            section = inner
    return section


def _section_of(section: type[Section], key: str) -> type[Section] | None:
    """The section that a key holds, by itself or as the items of a list."""
    if key not in section.model_fields:
        return None
    annotation = section.model_fields[key].annotation
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    return None


def _holds_secret(annotation: Any) -> bool:
    """Whether a key holds one secret, or none."""
    if annotation is SecretStr:
        return True
    return get_origin(annotation) is not dict and any(map(_holds_secret, get_args(annotation)))


class _Lines:
    """The document with the line of every key, and the mistakes that YAML itself would let pass."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self.variables: dict[Place, str] = {}  # what the environment sets
        self.mistakes: list[Mistake] = []

    def read(self, text: str) -> dict[str, Any]:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "cannot be read"
            self.mistakes.append(Mistake(mark.line + 1 if mark else 0, self.file, "", f"not YAML: {problem}"))
            return {}
        if document is None:
            return {}
        if not isinstance(document, dict):
            self.mistakes.append(Mistake(1, self.file, "", "must be a mapping of sections, such as `public:`"))
            return {}
        self._walk(node, ())
        return {key: value for key, value in document.items() if value is not None}

    def _walk(self, node: yaml.Node | None, place: Place) -> None:
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.lines[(*place, index)] = item.start_mark.line + 1
                self._walk(item, (*place, index))
        if not isinstance(node, yaml.MappingNode):
            return
        for key, value in node.value:
            here = (*place, str(key.value))
            if here in self.lines:
                self.mistakes.append(self.mistake(here, f"given twice, here and on line {key.start_mark.line + 1}"))
            self.lines[here] = key.start_mark.line + 1
            self._walk(value, here)

    def mistake(self, place: Place, text: str) -> Mistake:
        """The mistake at a place of the document: the variable that sets it, or the line of the nearest key in the
        file."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.variables:
                return Mistake(0, self.variables[place[:end]], ".".join(map(str, place)), text)
        known = next((place[:end] for end in range(len(place), 0, -1) if place[:end] in self.lines), ())
        return Mistake(self.lines.get(known, 0), self.file, ".".join(map(str, place)), text)


class _Secrets:
    """Puts the values of `{file: PATH}` and `{env: NAME}` where the file names them."""

    def __init__(self, environ: Mapping[str, str], read_file: Callable[[Path], str]) -> None:
        self.environ = environ
        self.read_file = read_file
        self.problems: list[tuple[Place, str]] = []

    def resolve(self, document: Any, section: type[Section], place: Place) -> dict[str, Any]:
        found = dict(document)
        for key, field in section.model_fields.items():
            value, here = found.get(key), (*place, key)
            inner = _section_of(section, key)
            if inner is not None and isinstance(value, dict):
                found[key] = self.resolve(value, inner, here)
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
