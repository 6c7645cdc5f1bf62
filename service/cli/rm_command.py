"""The command rm: images, or with --recursive whole folders of the repository."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from service.cli.arguments import client_command, names
from service.cli.connection import Remote, for_each
from service.client import Gateway, calls

SHOWN = 10  # names at a question


@client_command("rm photos/cat.jpg", "rm --recursive photos/2019", "rm --recursive --yes photos/2019 photos/2020")
@names
@click.option("-r", "--recursive", is_flag=True, help="Folders, with all images below them.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm(remote: Remote, names: tuple[str, ...], recursive: bool, yes: bool) -> int:
    """Remove images, with all that was derived of them.

    With --recursive it names what it removes. It asks first on a terminal, and needs --yes where there is none.
    """
    with remote.connect() as gateway:
        if not recursive:
            return for_each(gateway, names, lambda gateway, name: gateway.call(calls.delete(name)))
        found = [image for name in names for image in _below(gateway, name)]
        if not yes and not _confirmed(found):
            click.echo("nothing was removed", err=True)
            return 1
        return for_each(gateway, found, _remove)


def _below(gateway: Gateway, name: str) -> list[str]:
    """The images of a folder; where there is none, the image of this name, which the gateway may not know either."""
    folder = name.strip("/")
    if not folder:
        raise click.UsageError("rm --recursive: name a folder; it does not remove the whole repository")
    return [image.name for image in gateway.images(f"{folder}/")] or [folder]


def _confirmed(found: Sequence[str]) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(f"rm --recursive: there is no terminal to ask at; --yes removes {len(found)} images")
    for name in found[:SHOWN]:
        click.echo(name, err=True)
    if len(found) > SHOWN:
        click.echo(f"and {len(found) - SHOWN} more", err=True)
    return click.confirm(f"remove {len(found)} images, and all that was derived of them?", err=True)


def _remove(gateway: Gateway, name: str) -> None:
    gateway.call(calls.delete(name))
    click.echo(f"removed {name}")
