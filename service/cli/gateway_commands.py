"""Commands that run a gateway, or print what its configuration means."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from gateway.errors import Refused
from service.cli import running
from service.cli.arguments import PATH, UNSEEN, lifetime, local_command, unloaded_command

if TYPE_CHECKING:
    from service.runtime.configuration import Loaded


@unloaded_command("up", "up -c /etc/image-gateway/config.yaml")
def up(file: Path | None) -> int:
    """Run nginx and the service, in the foreground, until SIGTERM or Ctrl-C."""
    return running.up(file)


@unloaded_command("serve", "serve -c trial.yaml --base /etc/image-gateway")
@click.option("--base", type=UNSEEN, metavar="DIR", help="Where relative paths start (beside the configuration).")
@click.option("--lead", type=int, hidden=True)  # the socket on which a supervisor is told what is prepared
def serve(file: Path | None, base: Path | None, lead: int | None) -> int:
    """Run the service alone."""
    return running.serve(file, base, lead)


@local_command("render", "render -c /etc/image-gateway/config.yaml --to /tmp/nginx")
@click.option("--to", type=PATH, metavar="DIR", help="Write a folder that nginx runs on, and print nothing of it.")
def render(loaded: Loaded, to: Path | None) -> int:
    """Print the nginx configuration, or write the folder that nginx runs on."""
    from service.supervise import nginx_program, rendering  # noqa: PLC0415  # serve needs no templates

    if to is None:
        click.echo(rendering.print_nginx_conf(loaded.config), nl=False)
        return 0
    folder = rendering.write_folder(loaded.config, to)
    command = shlex.join(nginx_program.command(folder, named=loaded.config.runtime.nginx))
    click.echo(f"written; this runs it beside `image-gateway serve`: {command}")
    return 0


@local_command("check", "check -c /etc/image-gateway/config.yaml", "check --fix")
@click.option("--fix", is_flag=True, help="Set in the store what can be set there: CORS and quota of uploads.")
def check(loaded: Loaded, fix: bool) -> int:
    """Find what is wrong before a start does; each finding is a line."""
    from service.cli.check.check import check as find  # noqa: PLC0415  # the other commands need no Lua
    from service.cli.check.servers import mend  # noqa: PLC0415

    findings = [*(mend(loaded.config) if fix else ()), *find(loaded.config)]
    for finding in findings:
        click.echo(finding)
    wrong = [finding for finding in findings if finding.wrong]
    click.echo("all is well" if not wrong else f"{len(wrong)} to mend")
    return 1 if wrong else 0


@local_command("config -c config.yaml", "config --schema > config.schema.json")
@click.option("--schema", is_flag=True, help="Print the JSON Schema instead.")
def config(loaded: Loaded, schema: bool) -> int:
    """Print the whole configuration, commented."""
    from gateway.config_text import json_schema, print_config  # noqa: PLC0415  # only this command needs it

    click.echo(json_schema() if schema else print_config(loaded.config), nl=False)
    return 0


@local_command(
    "sign photos/cat.jpg/@w=300.webp",
    "sign 'photos/cat.jpg?w=300&format=webp' --lifetime 1h --key KEYID",
)
@click.argument("url", metavar="URL")
@click.option("--key", metavar="ID", help="The key to sign with (the first).")
@lifetime
def sign(loaded: Loaded, url: str, key: str | None, lifetime: int | None) -> int:
    """Print the signed URL of a derived image.

    URL is a URL below /images/, a derived name, or an image's name.
    """
    from gateway.access import sign as signature_of  # noqa: PLC0415  # only this command needs it
    from gateway.config import rules_of  # noqa: PLC0415
    from gateway.names import escape, parse  # noqa: PLC0415
    from gateway.save_as import signed_text  # noqa: PLC0415

    rules = rules_of(loaded.config)
    if not rules.keys:
        raise Refused(400, "public.keys: there is no key to sign with")
    key_id = key or next(iter(rules.keys))
    if key_id not in rules.keys:
        raise Refused(400, f"--key {key_id}: no such key; there are {', '.join(rules.keys)}")
    public = loaded.config.public.base_url
    path, _, query = url.removeprefix(public).removeprefix("/images/").partition("?")
    name = parse(path, query, rules)
    expires = int(time.time() + lifetime) if lifetime else None
    end = "" if expires is None else f"&exp={expires}"
    saved: dict[str, str] = {key: name.signature[key] for key in ("download", "filename") if key in name.signature}
    signature = signature_of(str(name), rules.keys[key_id], expires, signed_text(saved))
    more = f"&{urlencode(saved)}" if saved else ""
    click.echo(f"{public}/images/{escape(str(name))}?sig={key_id}.{signature}{end}{more}")
    return 0
