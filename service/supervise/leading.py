"""The service that leads: it prepares a start or a reload for the supervisor, which imports nothing of the gateway.

It reads the configuration, has the twins and nginx prove it, and renders nginx's files. Then it says on the socket of
packets that it was given what the supervisor has to know, and goes on as the service.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

from gateway.config import ConfigError, rules_of
from gateway.rules import Rules
from gateway.settings import Config
from service.cache.generation import Generation
from service.engine.job import EngineError
from service.observability import logs
from service.runtime.configuration import Loaded, load_file
from service.runtime.imagemagick import FORMATS, writable_formats
from service.runtime.lock import exclusive
from service.runtime.made_by import made_by
from service.runtime.memory import Memory
from service.runtime.naming import plainly
from service.runtime.paths import Paths, make_folders, paths_of
from service.runtime.sockets import HANDED, open_sockets, require_free
from service.runtime.versions import SOFTWARE, software
from service.supervise import nginx_conf, nginx_program, prepared, twins
from service.supervise.accepted import ACCEPTED, FIXED, NEXT, NEXT_NGINX, write_private
from service.supervise.prepared import LogOptions, Prepared

TEST_NGINX = 30.0  # seconds


class _Refused(Exception):
    """The configuration cannot be put in force; the text says why, a line for each reason."""


def lead(control: socket.socket, file: Path | None) -> Config | None:
    """Prepare what the supervisor asks for, with the configuration in `file`, and return that. None where a reload is
    refused, once the supervisor knows why. Raises ConfigError, TwinsDiffer, OSError, AlreadyRunning and EngineError
    where a start is."""
    with control:
        fixed = prepared.asked(control)
        if not fixed:
            return _lead_start(load_file(file), control)
        try:
            return _lead_reload(load_file(file), fixed, control)
        except (_Refused, ConfigError, twins.TwinsDiffer, EngineError) as error:
            prepared.refuse(control, str(error))
        except OSError as error:
            prepared.refuse(control, plainly(error))
        return None


def _lead_start(loaded: Loaded, control: socket.socket) -> Config:
    config = loaded.config
    logs.configure(config.log)
    paths = paths_of(config)
    make_folders(paths)
    with exclusive(paths.runtime, "up") as lock:
        twins.prove(config)
        sockets = open_sockets(config, paths)
        require_free("public.listen", config.public.listen)  # nginx would try five times, and tell each
        write_private(paths.runtime / ACCEPTED, loaded.text)
        rules = _rules(config, paths)
        nginx_conf.write(nginx_conf.render(config, paths, rules, _rendered(paths)), paths.nginx)
        for file in (paths.service_pid, paths.service_prepared, paths.service_settled):
            file.unlink(missing_ok=True)
        os.environ[HANDED] = ",".join(map(str, sockets.descriptors))
        answer = _prepared(config, paths, trusted=_is_trusted(config, paths, rules))
        prepared.tell(control, answer, [lock, *sockets.descriptors])  # the lock is the supervisor's from here on
    sockets.detach()
    return config


def _lead_reload(loaded: Loaded, fixed: dict[str, str], control: socket.socket) -> Config:
    """Raises what `lead` tells."""
    config = loaded.config
    logs.configure(config.log)
    changed = [key for key, value in _fixed(config).items() if value != fixed[key]]
    if changed:
        raise _Refused("\n".join(f"{key}: only a new start can change it" for key in changed))
    paths = paths_of(config)
    twins.prove(config)
    rules = _rules(config, paths)
    _prove_front(config, paths, rules)
    nginx_conf.write(nginx_conf.render(config, paths, rules, _rendered(paths)), paths.runtime / NEXT_NGINX)
    write_private(paths.runtime / NEXT, loaded.text)
    prepared.tell(control, _prepared(config, paths, trusted=False), [])
    return config


def _prepared(config: Config, paths: Paths, *, trusted: bool) -> Prepared:
    return Prepared(
        runtime=str(paths.runtime),
        base=str(config.base.absolute()),
        public=config.public.base_url,
        api=config.api.listen,
        page=config.api.page,
        nginx=nginx_program.command(paths.nginx, named=config.runtime.nginx),
        fixed=_fixed(config),
        trusted=trusted,
        log=LogOptions(config.log.level, config.log.format),
        settles=config.store.kind == "swift",
    )


def _fixed(config: Config) -> dict[str, str]:
    return {key: str(value(config)) for key, value in FIXED.items()}


def _rules(config: Config, paths: Paths) -> Rules:
    return rules_of(config, writable_formats(config, Memory(paths.runtime / FORMATS)))


def _rendered(paths: Paths) -> Memory:
    return Memory(paths.runtime / nginx_conf.RENDERED)


def _is_trusted(config: Config, paths: Paths, rules: Rules) -> bool:
    """Whether nginx may serve the caches while the service starts: nothing of them will be thrown out first."""
    try:
        versions = asyncio.run(software(Memory(paths.runtime / SOFTWARE)))
        return Generation(paths.work.parent, made_by(config, rules, versions)).is_trusted
    except (EngineError, OSError):  # the service fails over it, too, and says so
        return False


def _prove_front(config: Config, paths: Paths, rules: Rules) -> None:
    """Have nginx itself test what would be written for it. Raises _Refused with what it says."""
    trial = paths.runtime / "nginx.trial"
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
        raise _Refused(f"nginx refuses it: {tested.stderr.strip()}")
