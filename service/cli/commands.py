"""The table of commands, and their exit codes.

To add a command: write a function under `@local_command` or `@client_command` (`arguments`) in a module of this
package, and give its name a row in COMMANDS.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module

import click

from service.cli.explained import explain
from service.cli.shell import STOPPED

COMMANDS = {
    "up": "gateway_commands",
    "serve": "gateway_commands",
    "render": "gateway_commands",
    "check": "gateway_commands",
    "config": "gateway_commands",
    "sign": "gateway_commands",
    "translate": "translate_command",
    "token": "token_command",
    "upload": "upload_command",
    "ls": "client_commands",
    "get": "get_command",
    "meta": "client_commands",
    "url": "client_commands",
    "rm": "rm_command",
    "takedown": "takedown_command",
    "purge": "cache_commands",
    "stats": "cache_commands",
    "warm": "cache_commands",
    "events": "events_command",
    "completion": "completion",
}
"""The module of each command. Only the module of the command that runs is loaded."""


class Commands(click.Group):
    """The commands of COMMANDS, in its order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"service.cli.{COMMANDS[cmd_name]}")
        found: click.Command = getattr(module, cmd_name)
        return found

    def invoke(self, ctx: click.Context) -> int:
        """Run the command; its exit status. Ctrl-C is one line, where click would print an empty one too."""
        try:
            return int(super().invoke(ctx) or 0)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            return STOPPED


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="image-gateway", prog_name="image-gateway", message="%(prog)s %(version)s")
def commands() -> None:
    """A repository of images that derives others.

    Every command takes -c FILE; without it, ./config.yaml holds, else the defaults. COMMAND --help shows examples.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command, as `main` describes it."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        return int(commands.main(arguments, prog_name="image-gateway", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # Ctrl-C or the end of input, at a question
        click.echo("stopped; nothing was done", err=True)
        return STOPPED
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        click.echo(message, err=True)
        return 1
