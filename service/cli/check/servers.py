"""Checks of nginx's configuration, the ports, the store, and what the gateway sends to."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from gateway import environment
from gateway.api_settings import Api, resolve_listen
from gateway.config import rules_of
from gateway.public_settings import Public
from gateway.settings import Config
from gateway.units import is_loopback
from service.cli.check.finding import Finding
from service.open_store import open_store
from service.outbox.cdn import receivers_of
from service.runtime.lock import is_held
from service.runtime.paths import Paths
from service.runtime.sockets import require_free
from service.store.base import Observation, Store
from service.store.errors import StoreError
from service.supervise import nginx_conf, nginx_program
from service.supervise.accepted import ACCEPTED
from service.tracing.setup import NOT_INSTALLED, installed

Look = Callable[[Callable[[Observation], None]], Awaitable[None]]
CONNECT_TIME = 3.0  # seconds for a connection to the hook, the collector of traces, or a receiver of messages
DEFAULT_PORTS = {"http": 80, "https": 443}


def nginx(config: Config, paths: Paths) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        rules = rules_of(config)
        try:
            nginx_conf.write(nginx_conf.render(config, replace(paths, nginx=scratch), rules), scratch)
            tested = subprocess.run(
                nginx_program.command(scratch, "-t", "-q", named=config.runtime.nginx),
                capture_output=True,
                text=True,
                check=False,
                timeout=nginx_program.TIME,
            )
        except FileNotFoundError as error:
            yield Finding("nginx", str(error))
            return
        if tested.returncode:
            yield Finding("nginx -t", tested.stderr.strip().replace("\n", "; "))
        made_of = nginx_program.versions(config.runtime.nginx) or "without a Lua module"
        yield Finding("nginx", f"{nginx_program.program(config.runtime.nginx)}: {made_of}", wrong=False)


def ports(config: Config, paths: Paths) -> Iterator[Finding]:
    ours = _in_force(paths)
    for option, listen in (("public.listen", config.public.listen), ("api.listen", config.api.listen)):
        if listen in ours:
            yield Finding(option, f"{listen} is held by the gateway that runs here", wrong=False)
            continue
        try:
            require_free(option, listen)
        except OSError as error:
            yield Finding(option, str(error).removeprefix(f"{option}: "))
    if not config.public.url and not is_loopback(config.public.listen):
        text = f"links begin with {config.public.base_url}, where nginx listens; name what clients call it instead"
        yield Finding("public.url", text, wrong=False)


def _in_force(paths: Paths) -> set[str]:
    """The addresses at which a gateway that runs in this runtime folder listens, as far as this user may read it."""
    try:
        if not any(is_held(paths.runtime, role) for role in ("up", "service")):  # the latter: under Gunicorn
            return set()
        document = yaml.safe_load((paths.runtime / ACCEPTED).read_text("utf-8")) or {}
    except OSError:
        return set()
    document = environment.merge(document, environment.settings(os.environ))  # assumed to be the same there
    public, api = (document.get(name) or {} for name in ("public", "api"))
    listen = resolve_listen(api.get("listen", Api().listen), tokens=bool(api.get("tokens")))
    return {public.get("listen", Public().listen), listen}


def store(config: Config, paths: Paths) -> Iterator[Finding]:
    yield from _observed(config, lambda opened: opened.inspect)


def mend(config: Config) -> list[Finding]:
    """Set in the store what can be set there; what was set, or why it cannot be."""
    return list(_observed(config, lambda opened: opened.mend))


def _observed(config: Config, choose: Callable[[Store], Look]) -> Iterator[Finding]:
    """What a look at the store reports."""
    found: list[Observation] = []

    async def look() -> None:
        opened = open_store(config)
        try:
            await choose(opened)(found.append)
        finally:
            await opened.close()

    try:
        asyncio.run(look())
    except (StoreError, OSError) as error:
        found.append(Observation(f"store ({config.store.kind})", str(error)))
    for one in found:
        yield Finding(one.where, one.text, one.wrong)


def hook(config: Config, paths: Paths) -> Iterator[Finding]:
    options = config.intake.hook
    if not options.url:
        return
    if options.secret is None:
        text = "what is posted to the hook is not signed, so it cannot tell it from what others post"
        yield Finding("intake.hook.secret", text, wrong=False)
    what = "refused" if options.on_failure == "refuse" else "accepted unseen"
    yield from _listening("intake.hook.url", options.url, f"until it answers, uploads are {what}")


def tracing(config: Config, paths: Paths) -> Iterator[Finding]:
    if not config.tracing.endpoint:
        return
    if not installed():
        yield Finding("tracing.endpoint", NOT_INSTALLED)
    yield from _listening(
        "tracing.endpoint", config.tracing.endpoint, "until a collector listens there, traces are lost"
    )


def receivers(config: Config, paths: Paths) -> Iterator[Finding]:
    named = [(f"events.{place}.url", webhook.url) for place, webhook in enumerate(config.events)]
    named += [("cdn.kind", url) for url in receivers_of(config.cdn)]
    for option, url in named:
        yield from _listening(option, url, "until something listens there, messages wait in the outbox")


def _listening(option: str, url: str, until: str) -> Iterator[Finding]:
    """What keeps a connection to a URL from being made."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]), CONNECT_TIME).close()
    except OSError as error:
        yield Finding(option, f"{parts.netloc}: {error.strerror or error}; {until}", wrong=False)
