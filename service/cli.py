"""The command `image-gateway`. Every command takes `-c FILE`; without it, ./config.yaml, else the defaults."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.access import sign
from gateway.config import ConfigError, defaults, load, rules_of
from gateway.config_text import json_schema, print_config
from gateway.errors import Refused
from gateway.names import escape, parse
from gateway.settings import Config
from service import cli_client, front, logs
from service.engine.job import EngineError
from service.lock import AlreadyRunning, exclusive
from service.machine import writable_formats
from service.paths import Paths, make_folders, paths_of
from service.store.base import StoreError
from service.supervisor import Program, StartFailed, answers_socket, service_command, supervise, wrote_its_pid

FILE = Path("config.yaml")
STOP_NGINX = 35.0  # seconds; nginx ends what it is sending within worker_shutdown_timeout
STOP_SERVICE = 40.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status. Mistakes are told on standard error, a line each."""
    options = _parser().parse_args(arguments)
    try:
        config, file = read_config(options.config)
        logs.configure(config.log)
        return COMMANDS[options.command](config, file, options)
    except (ConfigError, Refused, StartFailed, StoreError, EngineError, AlreadyRunning, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def read_config(given: Path | None) -> tuple[Config, Path | None]:
    """The configuration and the file it came from. Raises ConfigError, OSError."""
    file = given or (FILE if FILE.exists() else None)
    if file is None:
        return defaults(Path.cwd()), None
    base = file.parent.absolute()
    text = file.read_text("utf-8")
    return load(
        text, file=str(file), base=base, environ=os.environ, read_file=lambda path: path.read_text("utf-8")
    ), file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="image-gateway", description="A repository of images that derives others.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in HELP.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("-c", dest="config", type=Path, metavar="FILE", help="the configuration (./config.yaml)")
        for words, details in ARGUMENTS.get(name, []):
            command.add_argument(*words, **details)
    return parser


def up(config: Config, file: Path | None, _options: argparse.Namespace) -> int:
    """nginx and the service, supervised, until SIGTERM or Ctrl-C."""
    paths = paths_of(config)
    make_folders(paths)
    with exclusive(paths.runtime, "up"):
        return _up(config, paths, file)


def _up(config: Config, paths: Paths, file: Path | None) -> int:
    _write_front(config)
    pid_file = paths.nginx / "nginx.pid"
    programs = [
        Program(
            "the service",
            service_command(["-c", str(file)] if file else []),
            lambda _pid: answers_socket(paths.socket),
            signal.SIGTERM,
            STOP_SERVICE,
        ),
        Program(
            "nginx", front.command(paths.nginx), lambda pid: wrote_its_pid(pid, pid_file), signal.SIGQUIT, STOP_NGINX
        ),
    ]
    ready = f"image gateway is up: public {config.public.url}, API http://{config.api.listen}"
    asyncio.run(supervise(programs, lambda: print(ready, flush=True)))
    return 0


def serve(config: Config, _file: Path | None, _options: argparse.Namespace) -> int:
    """The service alone."""
    from service import server  # noqa: PLC0415  # the other commands need no Swift client, no uvloop, no engine

    server.serve(config)
    return 0


def render(config: Config, _file: Path | None, _options: argparse.Namespace) -> int:
    """Write the nginx configuration where `up` puts it, and print it."""
    make_folders(paths_of(config))
    print(_write_front(config), end="")
    return 0


def print_configuration(config: Config, _file: Path | None, options: argparse.Namespace) -> int:
    """The whole configuration, commented; or its JSON Schema."""
    print(json_schema() if options.schema else print_config(config), end="")
    return 0


def run_check(config: Config, _file: Path | None, _options: argparse.Namespace) -> int:
    """Everything that can be known before a start; each finding is a line."""
    from service.check import check  # noqa: PLC0415  # the other commands need no Lua

    findings = check(config)
    for finding in findings:
        print(finding)
    wrong = [finding for finding in findings if finding.wrong]
    print("all is well" if not wrong else f"{len(wrong)} to mend")
    return 1 if wrong else 0


def sign_url(config: Config, _file: Path | None, options: argparse.Namespace) -> int:
    """Print the signed URL of a derived image."""
    rules = rules_of(config)
    if not rules.keys:
        raise Refused(400, "public.keys: there is no key to sign with")
    key_id = options.key or next(iter(rules.keys))
    if key_id not in rules.keys:
        raise Refused(400, f"--key {key_id}: no such key; there are {', '.join(rules.keys)}")
    path, _, query = options.url.removeprefix(config.public.url).removeprefix("/images/").partition("?")
    name = parse(path, query, rules)
    expires = int(time.time() + options.lifetime) if options.lifetime else None
    end = "" if expires is None else f"&exp={expires}"
    signature = sign(str(name), rules.keys[key_id], expires)
    print(f"{config.public.url}/images/{escape(str(name))}?sig={key_id}.{signature}{end}")
    return 0


def _write_front(config: Config) -> str:
    paths = paths_of(config)
    files = front.render(config, paths, rules_of(config, writable_formats(config)))
    front.write(files, paths.nginx)
    return files["nginx.conf"]


COMMANDS: dict[str, Callable[[Config, Path | None, argparse.Namespace], int]] = {
    "up": up,
    "serve": serve,
    "render": render,
    "check": run_check,
    "config": print_configuration,
    "sign": sign_url,
    **cli_client.COMMANDS,
}
HELP = {
    "up": "run nginx and the service, in the foreground",
    "serve": "run the service alone",
    "render": "write and print the nginx configuration",
    "check": "find what is wrong before a start does",
    "config": "print the whole configuration, commented",
    "sign": "print the signed URL of a derived image",
    **cli_client.HELP,
}
ARGUMENTS: dict[str, list[tuple[list[str], dict[str, Any]]]] = {
    "config": [(["--schema"], {"action": "store_true", "help": "print the JSON Schema instead"})],
    "sign": [
        (["url"], {"metavar": "URL", "help": "a URL below /images/, or a derived name"}),
        (["--key"], {"metavar": "ID", "help": "the key to sign with (the first)"}),
        (["--lifetime"], {"type": float, "metavar": "SECONDS", "help": "when the signature ends (never)"}),
    ],
    **cli_client.ARGUMENTS,
}
