"""nginx's side of a configuration: its rendered files."""

from __future__ import annotations

import json
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from gateway.canonical import canonical_patterns
from gateway.error_page import POLICY, error_page
from gateway.freshness import directives, preset_times
from gateway.rules import CONTENT_TYPES, Rules
from gateway.settings import Config
from service.cache.recency import records_access_times
from service.dialects.fingerprint import fingerprint
from service.runtime import rlimits
from service.runtime.memory import Memory
from service.runtime.naming import named
from service.runtime.paths import Paths
from service.store.directory.temp_urls import front_rules
from service.supervise import answer_headers, nginx_program

PATIENCE = 10  # seconds that nginx waits for the service beyond the time limit of one image
IMAGE_POLICY = "default-src 'none'; sandbox"
BURST = 10  # seconds of misses that may come at once: a page of thumbnails that were never made before...
MISSES_AT_ONCE = 20  # ...and at least so many
RENDERED = "nginx.json"  # in the runtime folder: what the template was filled in with, and what came of it
LOG_LEVELS = {"debug": "info", "info": "warn", "warning": "warn", "error": "error"}  # nginx says more at each level


def lua_root() -> Path:
    """The folder that holds `gateway/` and `nginx/`, from which nginx loads its Lua."""
    return Path(str(resources.files("gateway"))).parent


def render(config: Config, paths: Paths, rules: Rules, memory: Memory | None = None) -> Mapping[str, str]:
    """The files of the nginx folder, by name: `nginx.conf`, `rules.json`, and `modules.conf` where it is needed. With a
    `memory` a template is filled in only where that does not hold what comes of it."""
    usual = directives(rules.max_age, rules)
    open_to_all = config.public.access == "open"
    temp_urls = front_rules(config)
    dialects = [(dialect, prefix) for (dialect, _), prefix in config.dialects.prefixes()]
    prefixes = [prefix for _, prefix in dialects]
    files = {
        "nginx.conf": _filled_in(
            memory,
            user=_user(),
            log_level=LOG_LEVELS[config.log.level],
            types=[(kind, word) for word, kind in CONTENT_TYPES.items()] + [("application/json", "json")],
            lua_path=f"{lua_root()}/?.lua",
            files=rlimits.most(),
            note_hits="" if _records_access_times(paths) else 'require("nginx.lua.hits").note()',
            rules=paths.nginx / "rules.json",
            socket=paths.socket,
            hits_log=paths.nginx / "hits.log",
            canonical=canonical_patterns(rules, _longest_tag(config)) if open_to_all else [],
            listen=config.public.listen,
            trusted_proxies=config.public.trusted_proxies,
            derived=paths.derived,
            cache_control=usual,
            preset_times=list(_preset_times(rules)),
            common_headers=_common_headers(config, IMAGE_POLICY),
            error_headers=_common_headers(config, "$policy"),
            policies={"default": IMAGE_POLICY, "~^text/html": f"{POLICY}; sandbox"},
            headers=answer_headers.headers_of(config),
            dialect_headers=answer_headers.headers_of(config, dialect=True),
            tag_patterns=answer_headers.tag_patterns(config),
            patience=int(config.limits.time) + PATIENCE,
            rate=round(60 * config.limits.rate),
            burst=max(MISSES_AT_ONCE, round(BURST * config.limits.rate)),
            temp_urls=temp_urls is not None,
            dialects=dialects,
            dialects_memory=config.dialects.memory,
        ),
        "rules.json": json.dumps(
            {
                **rules.document(),
                "derived": str(paths.derived),
                "cache_control": usual,
                "headers": answer_headers.settings_of(config),
                "error_pages": {"near": error_page(config.api.page_url), "far": error_page("")},
                **({"temp_urls": temp_urls} if temp_urls else {}),
                **({"dialects": {"prefixes": prefixes, "fingerprint": fingerprint(config, rules)}} if dialects else {}),
            }
        ),
    }
    if modules := nginx_program.load_lines(config.runtime.nginx):
        files["modules.conf"] = modules
    return files


def _filled_in(memory: Memory | None, **values: object) -> str:
    """The template with these values."""
    sources = {file.name: file.read_text("utf-8") for file in _templates()}
    question = json.dumps([sources, values], default=str)
    held = memory.recall(question) if memory else None
    if held is not None:
        return str(held)
    from jinja2 import DictLoader, Environment, StrictUndefined  # noqa: PLC0415  # a start that fills in nothing needs no templates

    loader = DictLoader(sources)
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, loader=loader)  # noqa: S701  # it renders no HTML
    template = environment.get_template("nginx.conf.j2")
    text = template.render(values)
    if memory:
        memory.hold(question, text, [])
    return text


def _templates() -> list[Traversable]:
    """nginx.conf.j2 and what it includes."""
    files = (file for file in resources.files("nginx").iterdir() if file.name.endswith(".j2"))
    return sorted(files, key=lambda file: file.name)


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the rendered files, each whole or not at all; they hold signing keys, so only their owner reads them."""
    (folder / "temp").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if "modules.conf" not in files:
        (folder / "modules.conf").unlink(missing_ok=True)
    for name, text in files.items():
        unfinished = folder / f".{name}"
        with (
            named(unfinished),
            os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file,
        ):
            file.write(text)
        unfinished.replace(folder / name)


def _records_access_times(paths: Paths) -> bool:
    """Whether the cache's mount says by itself what nginx reads; where it cannot be tried, it is taken to. Before the
    first start, what there is of the path to the cache is tried."""
    try:
        return records_access_times(next(folder for folder in (paths.work, *paths.work.parents) if folder.exists()))
    except OSError:
        return True


def _longest_tag(config: Config) -> int | None:
    """Bytes of a tag that the CDN takes, None where there are no tags."""
    tags = config.public.cache_tags
    return tags.longest if tags.header else None


def _preset_times(rules: Rules) -> Iterator[tuple[str, str]]:
    """For canonical names that a preset with a time of its own expands to: how their request ends, Cache-Control."""
    for format in rules.out:
        for recipe, seconds in preset_times(format, rules).items():
            yield f"/@{re.escape(recipe)}[.]{format}$", directives(seconds, rules)


def _common_headers(config: Config, policy: str) -> str:
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": policy}
    if config.public.cors:
        headers["Access-Control-Allow-Origin"] = config.public.cors
    return "\n".join(f'            add_header {name} "{value}" always;' for name, value in headers.items())


def _user() -> str:
    """The user that the workers run as: ours. nginx switches only from root, which owns the cache."""
    return pwd.getpwuid(0).pw_name if os.geteuid() == 0 else ""
