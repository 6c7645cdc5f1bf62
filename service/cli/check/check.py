"""`image-gateway check`: find mistakes before a start. Each finding is a line that says what to do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gateway import checks, environment
from gateway.config import rules_of
from gateway.settings import Config
from service.cli.check import dialects, engine, folders, pages, servers
from service.cli.check.finding import Finding
from service.cli.check.overlays import overlays
from service.runtime.paths import Paths, paths_of
from service.supervise import nginx_conf

Check = Callable[[Config, Paths], Iterator[Finding]]


def check(config: Config) -> list[Finding]:
    """Returns all findings, in the order in which a start would meet them.

    A check makes and changes nothing that the configuration names. It tries ImageMagick's policy in a temporary folder,
    because a gateway that runs here uses the one in its runtime folder.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tried = config.model_copy(update={"runtime": config.runtime.model_copy(update={"root": Path(scratch)})})
        paths = replace(paths_of(config), policy=paths_of(tried).policy)
        paths.policy.mkdir()
        return [finding for look in CHECKS for finding in look(tried, paths)]


def variables(config: Config, paths: Paths) -> Iterator[Finding]:
    for setting in environment.settings(os.environ):
        value = "(a secret, not shown)" if setting.secret else setting.text
        yield Finding(setting.variable, f"sets {setting.option}: {value}", wrong=False)


def twins(config: Config, paths: Paths) -> Iterator[Finding]:
    for difference in checks.compare(rules_of(config), nginx_conf.lua_root()):
        yield Finding("Lua against Python", str(difference))


CHECKS: tuple[Check, ...] = (
    variables,
    folders.usable,
    folders.overlaps,
    folders.memory,
    folders.space,
    twins,
    dialects.presets,
    overlays,
    engine.formats,
    engine.negotiated,
    engine.policy,
    engine.sandbox,
    servers.nginx,
    servers.ports,
    servers.store,
    servers.hook,
    pages.fallback,
    pages.tags,
    servers.tracing,
    servers.receivers,
)
