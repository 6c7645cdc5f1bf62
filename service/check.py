"""`image-gateway check`: everything that can be known before a start, each finding one line that says what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from gateway import checks
from gateway.config import rules_of
from gateway.settings import Config
from gateway.units import print_size, split_listen
from service import front
from service.engine import turbo
from service.engine.cage import cage_report
from service.engine.job import EngineError
from service.engine.policy import prove_policy
from service.machine import capabilities
from service.paths import Paths, make_folders, paths_of
from service.store.base import StoreError
from service.stores import open_store
from service.tracing import NOT_INSTALLED, installed

LEAST_FREE = 0.05  # of a cache's budget that should be free on its disk
NGINX_TIME = 30.0  # seconds for nginx -t
COLLECTOR_TIME = 3.0  # seconds for a connection to the collector of traces
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at `where`, and what to do about it; `wrong` means that a start would fail or mislead."""

    where: str
    text: str
    wrong: bool = True

    def __str__(self) -> str:
        return f"{'wrong' if self.wrong else 'note '} {self.where}: {self.text}"


def check(config: Config) -> list[Finding]:
    """All findings, in the order in which a start would meet them."""
    paths = paths_of(config)
    findings = list(_folders(config, paths))
    usable = not any(finding.wrong for finding in findings)
    every = (_space, _twins, _formats, _policy, _cage, _nginx, _ports, _store, _tracing)
    for look in every if usable else (_twins, _ports):
        findings += look(config, paths)
    return findings


def _folders(config: Config, paths: Paths) -> Iterator[Finding]:
    try:
        make_folders(paths)
    except OSError as error:
        yield Finding("cache.root, runtime.root", f"{error.filename}: {error.strerror}; make it, or name another")
        return
    for folder in (paths.derived, paths.originals, paths.work, paths.runtime):
        if not os.access(folder, os.W_OK | os.X_OK):
            yield Finding("permissions", f"{folder} cannot be written by uid {os.geteuid()}: chown it")
    if paths.work.stat().st_dev != paths.derived.stat().st_dev:
        yield Finding("cache.root", f"{paths.work} and {paths.derived} must be on one file system")
    if os.geteuid() == 0:
        yield Finding("user", "this runs as root; a user of its own is better (docs/operations.md)", wrong=False)


def _space(config: Config, paths: Paths) -> Iterator[Finding]:
    usage = shutil.disk_usage(paths.derived)
    budget = config.cache.derived + config.cache.originals
    if usage.total < budget:
        yield Finding(
            "cache.derived, cache.originals", f"together {print_size(budget)}: more than the disk of {paths.derived}"
        )
    elif usage.free < LEAST_FREE * budget:
        yield Finding("cache.root", f"the disk of {paths.derived} is nearly full", wrong=False)


def _twins(config: Config, paths: Paths) -> Iterator[Finding]:
    for difference in checks.compare(rules_of(config), front.lua_root()):
        yield Finding("Lua against Python", str(difference))


def _formats(config: Config, paths: Paths) -> Iterator[Finding]:
    try:
        can = capabilities(config)
    except EngineError as error:
        yield Finding("ImageMagick", f"{error}; install its libraries (make setup)")
        return
    for word in config.formats.accept:
        if not can.get(word, (False, False))[0]:
            yield Finding("formats.accept", f"{word} cannot be read here: remove it, or install what reads it")
    for word in config.formats.out:
        if not can.get(word, (False, False))[1]:
            yield Finding("formats.out", f"{word} cannot be written here: remove it, or install what writes it")
    if turbo.library is None:
        lacking = "missing: damage inside a JPEG is not seen, and one stored turned is encoded once more (make setup)"
        yield Finding("libturbojpeg", lacking, wrong=False)


def _policy(config: Config, paths: Paths) -> Iterator[Finding]:
    for attempt, outcome in prove_policy(paths.policy).items():
        if outcome:
            yield Finding("ImageMagick's policy", f"{attempt} was not refused: {outcome}")


def _cage(config: Config, paths: Paths) -> Iterator[Finding]:
    for feature, state in cage_report().items():
        if state is not True:
            yield Finding("engine processes", f"without {feature}: {state}", wrong=False)


def _nginx(config: Config, paths: Paths) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        rules = rules_of(config)
        front.write(front.render(config, replace(paths, nginx=scratch), rules), scratch)
        try:
            tested = subprocess.run(
                front.command(scratch, "-t", "-q"), capture_output=True, text=True, check=False, timeout=NGINX_TIME
            )
        except FileNotFoundError as error:
            yield Finding("nginx", str(error))
            return
        if tested.returncode:
            yield Finding("nginx -t", tested.stderr.strip().replace("\n", "; "))


def _ports(config: Config, paths: Paths) -> Iterator[Finding]:
    for key, listen in (("public.listen", config.public.listen), ("api.listen", config.api.listen)):
        host, port = split_listen(listen)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                yield Finding(key, f"{listen}: {error.strerror}; stop what listens there, or name another port")


def _store(config: Config, paths: Paths) -> Iterator[Finding]:
    async def reach() -> None:
        store = open_store(config)
        try:
            await store.start()
            await store.originals.list(limit=1)
        finally:
            await store.close()

    try:
        asyncio.run(reach())
    except (StoreError, OSError) as error:
        yield Finding(f"store ({config.store.kind})", str(error))


def _tracing(config: Config, paths: Paths) -> Iterator[Finding]:
    if not config.tracing.endpoint:
        return
    if not installed():
        yield Finding("tracing.endpoint", NOT_INSTALLED)
    parts = urlsplit(config.tracing.endpoint)
    try:
        socket.create_connection((parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]), COLLECTOR_TIME).close()
    except OSError as error:
        text = f"{parts.netloc}: {error.strerror or error}; until a collector listens there, traces are lost"
        yield Finding("tracing.endpoint", text, wrong=False)
