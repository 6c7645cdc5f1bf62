"""Read a YAML file into a typed, checked configuration, and report every mistake with its line and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway import environment
from gateway.config_lines import ConfigError, Lines, Mistake, Place
from gateway.config_secrets import Secrets, section_of
from gateway.equivalence import canonicalise
from gateway.errors import Refused
from gateway.freshness import SHARED
from gateway.image_settings import MAPPING, TEXT
from gateway.names import preset_recipe
from gateway.rules import VOCABULARY, Rules
from gateway.section import Section
from gateway.settings import Config
from gateway.store_settings import DirectoryTempUrl, TempUrl
from gateway.units import is_loopback
from gateway.uri import is_ignored
from gateway.wording import explain

__all__ = ["ConfigError", "Mistake", "defaults", "load", "rules_of"]

LONGEST_SOCKET_PATH = 107  # bytes: sizeof(sun_path) - 1, see unix(7)
SOCKET_NAME = "service.sock"
UNWRITTEN = ("[key]", TEXT, MAPPING)  # steps of a place that are not in the file: a mapping's key, a kind of value
UNSTAMPED = "0"  # of an overlay that was not read
UNQUOTABLE = '"$\\;{}'


def load(text: str, *, file: str, base: Path, environ: Mapping[str, str], read_file: Callable[[Path], str]) -> Config:
    """The configuration in `text`, under what the environment sets; relative paths start from `base`.

    `environ` and `read_file` are also where `{env: NAME}` and `{file: PATH}` secrets come from; `read_file` raises
    OSError. Raises ConfigError with every mistake.
    """
    lines = Lines(file)
    document = lines.read(text)
    if lines.mistakes:
        raise ConfigError(sorted(lines.mistakes))
    found = environment.settings(environ)
    lines.variables = {setting.keys: setting.variable for setting in found}
    document = environment.merge(document, found)
    secrets = Secrets(environ, lambda path: read_file(base / path))
    document = secrets.resolve(document, Config, ())
    mistakes = [lines.mistake(place, why) for place, why in secrets.problems]
    mistakes += [Mistake(0, variable, "", why) for variable, why in environment.unknown(environ)]
    config: Config | None = None
    try:
        config = Config.model_validate({**document, "base": base})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            place = tuple(step for step in detail["loc"] if step not in UNWRITTEN)
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
        presets=config.recipes,
        access=config.public.access,
        keys={key_id: secret.get_secret_value() for key_id, secret in config.public.keys.items()},
        metadata=config.public.metadata,
        max_age=int(config.public.max_age),
        preset_max_age={preset: int(seconds) for preset, seconds in config.public.preset_max_age.items()},
        ignored_query=tuple(config.public.ignored_query),
        time=config.limits.time,
        memory=config.engine.memory,
        shared_caches=_shared_caches(config),
        ladder=ladder_of(config),
        snap=config.ladder.snap,
        overlays={
            name: {"stamp": config.stamps.get(name, UNSTAMPED), "place": overlay.place}
            for name, overlay in config.overlays.items()
        },
        required=tuple(config.public.overlays.required),
    )


def ladder_of(config: Config) -> tuple[int, ...]:
    """The widths that may be asked for on the public port; empty where all may."""
    return () if config.ladder.snap == "off" else tuple(config.ladder.widths)


def _shared_caches(config: Config) -> dict[str, int]:
    """The directives of Cache-Control for shared caches that are configured, in seconds."""
    public = config.public
    seconds = (public.s_maxage, public.stale_while_revalidate, public.stale_if_error)
    return {word: int(value) for word, value in zip(SHARED, seconds, strict=True) if value}


def _combinations(config: Config) -> Iterator[tuple[Place, str]]:
    """What is right key by key, and wrong together."""
    yield from _overlays(config)
    rules = replace(rules_of(config), required=())
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
    if config.public.canonical_link and any(one in UNQUOTABLE for one in config.public.base_url):
        yield ("public", "url"), f"with canonical_link, must not hold any of {UNQUOTABLE}, which nginx cannot quote"
    yield from _ladder(config)
    yield from _dialects(config)
    yield from _receivers(config)
    yield from _lifetimes("swift", config.store.swift.temp_url)
    yield from _lifetimes("directory", config.store.directory.temp_url)


def _ladder(config: Config) -> Iterator[tuple[Place, str]]:
    if not (ladder := ladder_of(config)):
        return
    if ladder[-1] > config.limits.width:
        yield ("ladder", "widths"), f"must be at most {config.limits.width}, which is limits.width"
    if any(dialect == "iiif" for (dialect, _), _ in config.dialects.prefixes()):
        yield ("ladder", "snap"), "must be off beside dialects.iiif, whose clients need the size that they ask for"


def _overlays(config: Config) -> Iterator[tuple[Place, str]]:
    """Required overlays that are not there, and fields of texts that the configuration does not show."""
    for place, name in enumerate(config.public.overlays.required):
        if name not in config.overlays:
            known = f"; there are {', '.join(config.overlays)}" if config.overlays else ""
            yield ("public", "overlays", "required", place), f"{name}: no such overlay{known}"
    for name, overlay in config.overlays.items():
        for field in overlay.fields:
            if field == "copyright" and "copyright" not in config.metadata.keep:
                yield ("overlays", name, "text"), "{copyright} needs metadata.keep: [copyright]"
            if field != "copyright" and field not in config.metadata.fields:
                yield ("overlays", name, "text"), f"{{{field}}} needs {field} among metadata.fields"


def _lifetimes(kind: str, urls: TempUrl | DirectoryTempUrl) -> Iterator[tuple[Place, str]]:
    if urls.lifetime > urls.max_lifetime:
        yield ("store", kind, "temp_url", "lifetime"), "must be at most max_lifetime"


def _receivers(config: Config) -> Iterator[tuple[Place, str]]:
    """Webhooks with the same URL, and what the CDN needs."""
    urls = [webhook.url for webhook in config.events]
    for number, url in enumerate(urls):
        if url in urls[:number]:
            yield ("events", number, "url"), "is there twice; one webhook can have all kinds"
    for option in config.cdn.missing():
        yield ("cdn", option), f"is missing; kind: {config.cdn.kind} needs it"


def _dialects(config: Config) -> Iterator[tuple[Place, str]]:
    """Prefixes of dialects that clash, and dialects without signatures where access is not open."""
    iiif = config.dialects.iiif
    if iiif.prefix_presentation and not iiif.prefix:
        yield ("dialects", "iiif", "prefix_presentation"), "a manifest names images of version 3: set prefix too"
    seen: list[str] = []
    for (dialect, option), prefix in config.dialects.prefixes():
        place = ("dialects", dialect, option)
        other = next(
            (one for one in seen if f"{one}/".startswith(f"{prefix}/") or f"{prefix}/".startswith(f"{one}/")), None
        )
        if other:
            yield place, f"{prefix} and {other}, another dialect's, must not begin alike"
        seen.append(prefix)
        if not getattr(config.dialects, dialect).signs and config.public.access != "open":
            yield place, f"{dialect} has no signatures: it needs public.access: open"


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
        known = [key for key in options if key not in ("base", "stamps")]
        close = get_close_matches(str(place[-1]), known, 1)
        return f"unknown key; did you mean {close[0]}?" if close else f"unknown key; there are {', '.join(known)}"
    return explain(detail, options.get(str(place[-1])))


def _section_at(place: Place) -> type[Section]:
    """The section that a mapping of the file is, or lies in."""
    section: type[Section] = Config
    for step in place:
        if isinstance(step, str) and (inner := section_of(section, step)) is not None:
            section = inner
    return section
