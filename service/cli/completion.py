"""Completion for shells: the script that a shell reads, and the names of images behind Tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from service.cli.arguments import Command

MOST = 1000  # names of one level
VARIABLE = "_IMAGE_GATEWAY_COMPLETE"  # click's name for it
EXAMPLES = ("completion bash >> ~/.bashrc", 'completion zsh > "${fpath[1]}/_image-gateway"')


@click.command(cls=Command, examples=EXAMPLES, environment=())
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    It completes commands, options and files, and the names of images where the gateway answers.
    """
    from service.cli.commands import commands  # noqa: PLC0415  # which loads this module

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell}: there is no completion for it")
    click.echo(found(commands, {}, "image-gateway", VARIABLE).source())
    return 0


def complete_name(file: Path | None, api: str | None, incomplete: str) -> list[Any]:
    """The images and folders of one level that begin with `incomplete`. None where the gateway does not answer."""
    from service.cli.connection import remote  # noqa: PLC0415
    from service.client import calls  # noqa: PLC0415
    from service.runtime.configuration import read_config  # noqa: PLC0415  # printing the script needs no HTTP client

    try:
        with remote(read_config(file)[0], api).connect() as gateway:
            page = gateway.call(calls.listing(incomplete, delimiter="/", limit=MOST))
    except Exception:  # a shell that completes has no place for a message
        return []
    return [CompletionItem(name) for name in sorted([*page.folders, *(image.name for image in page.images)])]
