"""`image-gateway check`: find mistakes before a start; each finding is a line that says what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from gateway import checks, environment
from gateway.config import rules_of
from gateway.settings import Api, Config, Public, resolve_listen
from gateway.units import is_loopback, print_size
from service.engine.job import EngineError
from service.engine.jpeg import turbo
from service.engine.sandbox.policy import prove_policy
from service.engine.sandbox.sandbox import sandbox_report
from service.engine.tiff import libtiff
from service.open_store import open_store
from service.runtime.imagemagick import capabilities, shortcomings, write_policy
from service.runtime.lock import is_held
from service.runtime.paths import Paths, paths_of
from service.runtime.sockets import require_free
from service.store.base import Observation
from service.store.errors import StoreError
from service.supervise import nginx_conf
from service.supervise.up import ACCEPTED
from service.tracing.setup import NOT_INSTALLED, installed

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
    """All findings, in the order in which a start would meet them. Of what the configuration names nothing is made or
    changed: ImageMagick's policy, which a gateway that runs here has too, is tried in a folder of its own."""
    looks = [
        _variables,
        _folders,
        _overlaps,
        _memory,
        _space,
        _twins,
        _formats,
        _policy,
        _sandbox,
        _nginx,
        _ports,
        _store,
        _tracing,
    ]
    with tempfile.TemporaryDirectory() as scratch:
        tried = config.model_copy(update={"runtime": config.runtime.model_copy(update={"root": Path(scratch)})})
        paths = replace(paths_of(config), policy=paths_of(tried).policy)
        paths.policy.mkdir()
        return [finding for look in looks for finding in look(tried, paths)]


def _variables(config: Config, paths: Paths) -> Iterator[Finding]:
    for setting in environment.settings(os.environ):
        value = "(a secret, not shown)" if setting.secret else setting.text
        yield Finding(setting.variable, f"sets {setting.option}: {value}", wrong=False)


def _folders(config: Config, paths: Paths) -> Iterator[Finding]:
    caches = {_nearest(folder): "cache.root" for folder in (paths.derived, paths.originals, paths.work, paths.engine)}
    for place, option in {**caches, _nearest(paths.runtime): "runtime.root"}.items():
        try:
            Path(tempfile.mkdtemp(dir=place)).rmdir()
        except OSError as error:
            text = f"uid {os.geteuid()} can make nothing in {place} ({error.strerror}); mend it, or name another"
            yield Finding(option, text)
    places = filter(Path.exists, map(_nearest, (paths.work, paths.engine, paths.derived)))
    if len({place.stat().st_dev for place in places}) > 1:
        yield Finding("cache.root", f"{paths.work}, {paths.engine} and {paths.derived} must be on one file system")
    if os.geteuid() == 0:
        there = _nearest(paths.engine).resolve()
        for folder in filter(_is_closed, (there, *there.parents)):
            text = f"engine processes of root have no capabilities and cannot pass {folder}; `chmod a+x` it"
            yield Finding("cache.root", f"{text}, or run as its owner")
        yield Finding("user", "this runs as root; a user of its own is better (docs/operations.md)", wrong=False)


def _is_closed(folder: Path) -> bool:
    """Whether root cannot pass the folder without a capability."""
    status = folder.stat()
    return status.st_uid != 0 and not status.st_mode & 0o001


def _nearest(folder: Path) -> Path:
    """The folder itself, or what there is of the path to it."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def _overlaps(config: Config, paths: Paths) -> Iterator[Finding]:
    folders = dict(open_store(config).folders)  # one that is not started holds nothing
    if not folders:
        return
    folders |= {"cache.root": paths.work.parent, "runtime.root": paths.runtime}
    for (one, first), (other, second) in combinations(folders.items(), 2):
        apart = (one, other) == ("cache.root", "runtime.root")
        for inner, outer, within, around in ((one, other, first, second), (other, one, second, first)):
            if not apart and within.resolve().is_relative_to(around.resolve()):
                yield Finding(inner, f"{within} lies in {around}, which is {outer}; each needs a folder of its own")
                break


def _memory(config: Config, paths: Paths) -> Iterator[Finding]:
    has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if config.cache.memory > has:
        text = f"{print_size(config.cache.memory)} is more than this machine has, {has / 2**30:.1f} GiB"
        yield Finding("cache.memory", text, wrong=False)


def _space(config: Config, paths: Paths) -> Iterator[Finding]:
    place = _nearest(paths.derived)
    if not place.is_dir():  # which is reported already
        return
    usage = shutil.disk_usage(place)
    budget = config.cache.derived + config.cache.originals
    if usage.total < budget:
        yield Finding(
            "cache.derived, cache.originals", f"together {print_size(budget)}: more than the disk of {paths.derived}"
        )
    elif usage.free < LEAST_FREE * budget:
        yield Finding("cache.root", f"the disk of {paths.derived} is nearly full", wrong=False)


def _twins(config: Config, paths: Paths) -> Iterator[Finding]:
    for difference in checks.compare(rules_of(config), nginx_conf.lua_root()):
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
    if config.engine.library == "imagemagick":
        for lack in shortcomings(config):
            yield Finding("engine.library", f"not by ImageMagick: {lack}", wrong=False)
    if turbo.library is None:
        lacking = "missing: damage inside a JPEG is not seen, and one stored turned is encoded once more (make setup)"
        yield Finding("libturbojpeg", lacking, wrong=False)
    if libtiff.library is None:
        lacking = "missing: TIFF in YCbCr, with extra samples or of few bits may be shown wrong (make setup)"
        yield Finding("libtiff", lacking, wrong=False)


def _policy(config: Config, paths: Paths) -> Iterator[Finding]:
    write_policy(config, paths.policy)
    for attempt, outcome in prove_policy(paths.policy).items():
        if outcome:
            yield Finding("ImageMagick's policy", f"{attempt} was not refused: {outcome}")


def _sandbox(config: Config, paths: Paths) -> Iterator[Finding]:
    for feature, state in sandbox_report().items():
        if state is not True:
            yield Finding("engine processes", f"without {feature}: {state}", wrong=False)


def _nginx(config: Config, paths: Paths) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        rules = rules_of(config)
        nginx_conf.write(nginx_conf.render(config, replace(paths, nginx=scratch), rules), scratch)
        try:
            tested = subprocess.run(
                nginx_conf.command(scratch, "-t", "-q"), capture_output=True, text=True, check=False, timeout=NGINX_TIME
            )
        except FileNotFoundError as error:
            yield Finding("nginx", str(error))
            return
        if tested.returncode:
            yield Finding("nginx -t", tested.stderr.strip().replace("\n", "; "))


def _ports(config: Config, paths: Paths) -> Iterator[Finding]:
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
    """The addresses at which a gateway that runs in this runtime folder listens, as far as we may know."""
    try:
        if not any(is_held(paths.runtime, role) for role in ("up", "service")):  # the latter: under Gunicorn
            return set()
        document = yaml.safe_load((paths.runtime / ACCEPTED).read_text("utf-8")) or {}
    except OSError:
        return set()
    document = environment.merge(document, environment.settings(os.environ))  # which it is taken to have, too
    public, api = (document.get(name) or {} for name in ("public", "api"))
    listen = resolve_listen(api.get("listen", Api().listen), tokens=bool(api.get("tokens")))
    return {public.get("listen", Public().listen), listen}


def _store(config: Config, paths: Paths) -> Iterator[Finding]:
    found: list[Observation] = []

    async def look() -> None:
        store = open_store(config)
        try:
            await store.inspect(found.append)
        finally:
            await store.close()

    try:
        asyncio.run(look())
    except (StoreError, OSError) as error:
        found.append(Observation(f"store ({config.store.kind})", str(error)))
    for one in found:
        yield Finding(one.where, one.text, one.wrong)


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
