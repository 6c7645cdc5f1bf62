"""`image-gateway completion`: the script by which a shell completes commands, options, files and names of images."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from service.cli.arguments import Command

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
