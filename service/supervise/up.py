"""`image-gateway up`: nginx and the service under one supervisor, which owns the service's sockets and knows which
configuration is in force. SIGHUP puts a new one in force, or says why not and changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gateway.config import ConfigError, rules_of
from gateway.rules import Rules
from gateway.settings import Config
from service.cache.generation import Generation
from service.engine.job import EngineError
from service.observability import logs
from service.runtime.imagemagick import FORMATS, writable_formats
from service.runtime.lock import exclusive
from service.runtime.made_by import made_by
from service.runtime.memory import Memory
from service.runtime.naming import named
from service.runtime.paths import Paths, make_folders, paths_of
from service.runtime.sockets import HANDED, Sockets, require_free, sockets_of
from service.runtime.versions import SOFTWARE, software
from service.supervise import nginx_conf, nginx_program, systemd, twins
from service.supervise.program import Program, wrote_its_pid
from service.supervise.standby import standby
from service.supervise.supervisor import Supervisor

STOP_NGINX = 35.0  # seconds; nginx ends what it is sending within worker_shutdown_timeout
STOP_SERVICE = 40.0
TEST_NGINX = 30.0
ACCEPTED = "accepted.yaml"  # the configuration in force; what is in its file may be newer, and wrong
FIXED: dict[str, Callable[[Config], object]] = {
    "public.listen": lambda config: config.public.listen,
    "api.listen": lambda config: config.api.listen,
    "cache.root": lambda config: config.cache.root,
    "runtime.root": lambda config: config.runtime.root,
}
"""What only a new start can change: what the supervisor holds open, and what both nginx and the service stand on."""

Read = Callable[[], tuple[Config, str]]

log = logging.getLogger(__name__)


class NotInForce(Exception):
    """A new configuration that cannot be put in force; the text says why, a line for each reason."""


def up(config: Config, text: str, read: Read) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. `text` is where `config` was read from; `read` reads both again.

    Raises StartFailed, TwinsDiffer, OSError and AlreadyRunning where it cannot start.
    """
    paths = paths_of(config)
    make_folders(paths)
    with exclusive(paths.runtime, "up"):
        twins.prove(config)
        with sockets_of(config, paths) as sockets:
            require_free("public.listen", config.public.listen)  # nginx would try five times, and tell each
            gateway = _Gateway(config, text, paths, sockets, read)
            asyncio.run(gateway.run())


class _Gateway:
    def __init__(self, config: Config, text: str, paths: Paths, sockets: Sockets, read: Read) -> None:
        self._config = config
        self._text = text
        self._paths = paths
        self._read = read
        self._service = self._service_program(sockets)
        self._supervisor = Supervisor([self._service, self._nginx_program()])

    async def run(self) -> None:
        write_private(self._paths.runtime / ACCEPTED, self._text)
        rules = rules_of(self._config, writable_formats(self._config, Memory(self._paths.runtime / FORMATS)))
        nginx_conf.write(nginx_conf.render(self._config, self._paths, rules), self._paths.nginx)
        looking = asyncio.create_task(self._serve_what_is_here(rules))
        try:
            await self._supervisor.run(self._announce, self._reload)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            systemd.stopping()

    async def _serve_what_is_here(self, rules: Rules) -> None:
        """Let nginx serve the caches while the service starts, if it will not throw anything of them out first."""
        with contextlib.suppress(EngineError, OSError):  # the service fails over it, too, and says so
            generation = made_by(self._config, rules, await software(Memory(self._paths.runtime / SOFTWARE)))
            if Generation(self._paths.work.parent, generation).is_trusted:
                self._supervisor.hurry()

    def _announce(self) -> None:
        public, api = self._config.public.base_url, self._config.api.listen
        print(f"image gateway is up: public {public}, API http://{api}", flush=True)
        systemd.ready()

    async def _reload(self) -> None:
        systemd.reloading()
        try:
            await self._put_in_force(*await asyncio.to_thread(self._read))
        except (NotInForce, twins.TwinsDiffer, ConfigError, OSError) as error:
            for line in str(error).splitlines():
                log.error("not reloaded: %s", line)
        else:
            log.info("reloaded")
        systemd.ready()

    async def _put_in_force(self, config: Config, text: str) -> None:
        """First the service, then nginx, so that nginx never lets in what the service does not know yet."""
        changed = [key for key, value in FIXED.items() if value(config) != value(self._config)]
        if changed:
            raise NotInForce("\n".join(f"{key}: only a new start can change it" for key in changed))
        await asyncio.to_thread(twins.prove_installed, text, config.base.absolute())
        rules = await asyncio.to_thread(_prove_front, config, self._paths)
        write_private(self._paths.runtime / ACCEPTED, text)
        if not await self._supervisor.replace(self._service):
            write_private(self._paths.runtime / ACCEPTED, self._text)
            raise NotInForce("the service does not start with it; what it said is above")
        self._config, self._text = config, text
        logs.configure(config.log)
        nginx_conf.write(nginx_conf.render(config, self._paths, rules), self._paths.nginx)
        self._supervisor.signal("nginx", signal.SIGHUP)

    def _service_program(self, sockets: Sockets) -> Program:
        accepted, serving, prepared = (
            self._paths.runtime / ACCEPTED,
            self._paths.service_pid,
            self._paths.service_prepared,
        )
        for file in (serving, prepared):
            file.unlink(missing_ok=True)
        base = self._config.base.absolute()
        return Program(
            "the service",
            [sys.executable, "-m", "service", "serve", "-c", str(accepted), "--base", str(base)],
            lambda pid: wrote_its_pid(pid, serving),
            signal.SIGTERM,
            STOP_SERVICE,
            lambda pid: wrote_its_pid(pid, prepared),
            sockets.descriptors,
            {HANDED: ",".join(map(str, sockets.descriptors))},
            lambda: standby(sockets),
        )

    def _nginx_program(self) -> Program:
        pid_file = self._paths.nginx / "nginx.pid"
        return Program(
            "nginx",
            nginx_program.command(self._paths.nginx, named=self._config.runtime.nginx),
            lambda pid: wrote_its_pid(pid, pid_file),
            signal.SIGQUIT,
            STOP_NGINX,
        )


def _prove_front(config: Config, paths: Paths) -> Rules:
    """Have nginx itself test what would be written for it with the rules that are given back. Raises NotInForce with
    what it says."""
    trial = paths.runtime / "nginx.trial"
    rules = rules_of(config, writable_formats(config, Memory(paths.runtime / FORMATS)))
    try:
        nginx_conf.write(nginx_conf.render(config, replace(paths, nginx=trial), rules), trial)
        tested = subprocess.run(
            nginx_program.command(trial, "-t", named=config.runtime.nginx),
            capture_output=True,
            text=True,
            timeout=TEST_NGINX,
            check=False,
        )
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    if tested.returncode:
        raise NotInForce(f"nginx refuses it: {tested.stderr.strip()}")
    return rules


def write_private(path: Path, text: str) -> None:
    """Write a file that may hold secrets, whole or not at all."""
    unfinished = path.with_name(f".{path.name}")
    with (
        named(unfinished),
        os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file,
    ):
        file.write(text)
    unfinished.replace(path)
