"""The command `image-gateway`. Every command takes `-c FILE`; without it, ./config.yaml, else the defaults."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.access import sign
from gateway.config import ConfigError, Mistake, load, rules_of
from gateway.config_text import json_schema, print_config
from gateway.errors import Refused
from gateway.names import escape, parse
from gateway.settings import Config
from service import cli_client, cli_token, logs
from service import up as gateway
from service.cli_options import LONGEST_LIFETIME, plainly, up_to
from service.engine.job import EngineError
from service.lock import AlreadyRunning
from service.paths import make_folders, paths_of
from service.programs import StartFailed
from service.store.base import StoreError

FILE = Path("config.yaml")
NO_FILE = Path("the defaults")  # what a mistake names where no file is read


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status. Mistakes are told on standard error, a line each."""
    options = _parser().parse_args(arguments)
    try:
        config, file = read_config(options.config, getattr(options, "base", None))
        logs.configure(config.log)
        return COMMANDS[options.command](config, file, options)
    except (ConfigError, Refused, StartFailed, StoreError, EngineError, AlreadyRunning) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(plainly(error), file=sys.stderr)
        return 1


def read_config(given: Path | None, base: Path | None = None) -> tuple[Config, Path | None]:
    """The configuration and the file it came from; `base` is where relative paths start if not beside the file.

    Raises ConfigError.
    """
    file = given or (FILE if FILE.exists() else None)
    if file is None:
        return _parse("", NO_FILE, Path.cwd()), None
    return _parse(_read(file), file, base or file.parent.absolute()), file


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        why = "there is no such file; name the configuration with -c"
    except OSError as error:
        why = f"the configuration cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        why = "the configuration is not UTF-8"
    raise ConfigError([Mistake(0, str(file), "", why)])


def _parse(text: str, file: Path, base: Path) -> Config:
    return load(text, file=str(file), base=base, environ=os.environ, read_file=lambda path: path.read_text("utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="image-gateway", description="A repository of images that derives others.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in HELP.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("-c", dest="config", type=Path, metavar="FILE", help="the configuration (./config.yaml)")
        for words, details in ARGUMENTS.get(name, []):
            command.add_argument(*words, **details)
    return parser


def up(_config: Config, file: Path | None, _options: argparse.Namespace) -> int:
    """nginx and the service, supervised, until SIGTERM or Ctrl-C."""

    def read() -> tuple[Config, str]:
        if file is None:
            return _parse("", NO_FILE, Path.cwd()), ""
        text = _read(file)
        return _parse(text, file, file.parent.absolute()), text

    gateway.up(*read(), read)
    return 0


def serve(config: Config, _file: Path | None, _options: argparse.Namespace) -> int:
    """The service alone."""
    from service import server  # noqa: PLC0415  # the other commands need no Swift client, no uvloop, no engine

    server.serve(config)
    return 0


def render(config: Config, _file: Path | None, _options: argparse.Namespace) -> int:
    """Write the nginx configuration where `up` puts it, and print it."""
    paths = paths_of(config)
    make_folders(paths)
    print(gateway.write_front(config, paths), end="")
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


def make_token(_config: Config, _file: Path | None, options: argparse.Namespace) -> int:
    """Print a new token for the API, and what makes the gateway accept it."""
    print(cli_token.new_token(options.name, options.scopes), end="")
    return 0


def ask_gateway(config: Config, _file: Path | None, options: argparse.Namespace) -> int:
    """A command that speaks to a running gateway."""
    from service import cli_commands  # noqa: PLC0415  # the other commands need no HTTP client

    return cli_commands.run(config, options)


COMMANDS: dict[str, Callable[[Config, Path | None, argparse.Namespace], int]] = {
    "up": up,
    "serve": serve,
    "render": render,
    "check": run_check,
    "config": print_configuration,
    "sign": sign_url,
    "token": make_token,
    **dict.fromkeys(cli_client.HELP, ask_gateway),
}
HELP = {
    "up": "run nginx and the service, in the foreground",
    "serve": "run the service alone",
    "render": "write and print the nginx configuration",
    "check": "find what is wrong before a start does",
    "config": "print the whole configuration, commented",
    "sign": "print the signed URL of a derived image",
    "token": "make a token for the API, with the lines that configure it",
    **cli_client.HELP,
}
ARGUMENTS: dict[str, list[tuple[list[str], dict[str, Any]]]] = {
    "serve": [
        (["--base"], {"type": Path, "metavar": "DIR", "help": "where relative paths start (beside the configuration)"}),
    ],
    "config": [(["--schema"], {"action": "store_true", "help": "print the JSON Schema instead"})],
    "sign": [
        (["url"], {"metavar": "URL", "help": "a URL below /images/, a derived name, or an image's name"}),
        (["--key"], {"metavar": "ID", "help": "the key to sign with (the first)"}),
        (
            ["--lifetime"],
            {"type": up_to(LONGEST_LIFETIME), "metavar": "SECONDS", "help": "how long it holds (for ever)"},
        ),
    ],
    "token": cli_token.ARGUMENTS,
    **cli_client.ARGUMENTS,
}
