"""The decorators of commands, `local_command` and `client_command`, and the arguments that several commands take."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from service.cli.loading import load
from service.cli.shell import API, TOKEN

LONGEST_LIFETIME = 10**9  # seconds: 31 years

Decorator = Callable[[Callable[..., Any]], Any]


class Command(click.Command):
    """A command whose help ends with examples, and with the environment variables that it reads."""

    def __init__(self, *arguments: Any, examples: Sequence[str], environment: Sequence[tuple[str, str]], **rest: Any):
        super().__init__(*arguments, **rest)
        self.examples = examples
        self.environment = environment

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence of the help, whole."""
        return " ".join((self.help or "").split("\n\n")[0].split()).partition(". ")[0].rstrip(".")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.environment:
            with formatter.section("Environment"):
                formatter.write_dl(list(self.environment))
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}image-gateway {example}\n")


class Seconds(click.ParamType[int]):
    """A time such as 90s, 10m or 1h, or a number of seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from gateway.units import read_seconds  # noqa: PLC0415  # only this option needs it

        try:
            seconds = round(read_seconds(value))
        except ValueError:
            seconds = 0
        if not 1 <= seconds <= LONGEST_LIFETIME:
            self.fail(f"{value}: must be a time such as 90s, 10m or 1h, of at least 1s", param, ctx)
        return seconds


class Folder(click.ParamType[str]):
    """A folder of the repository, without slashes around it; empty for all of the repository."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from gateway.errors import Refused  # noqa: PLC0415  # only this option needs it
        from gateway.names import check_image  # noqa: PLC0415

        folder = str(value).strip("/")
        try:
            return folder and check_image(folder)
        except Refused as refused:
            self.fail(f"{value}: {refused.detail}", param, ctx)


def local_command(*examples: str, name: str | None = None) -> Decorator:
    """Make a function a command that needs the configuration: it is called with a `Loaded`, and gives the exit status.

    The function's docstring is the help. `name` is the command's where the function has another.
    """
    return _command(_with_loaded, examples, (), [_config], name)


def unloaded_command(*examples: str, name: str | None = None) -> Decorator:
    """Make a function a command that loads the configuration by itself: it is called with the `file` of -c."""
    return _command(lambda function: function, examples, (), [_config], name)


def client_command(*examples: str, name: str | None = None) -> Decorator:
    """Make a function a command that speaks to a running gateway: it is called with a `Remote`."""
    variables = (
        (TOKEN, "the token to send, where the gateway wants one"),
        (API, "the gateway's API, where --api is not given"),
    )
    return _command(_with_remote, examples, variables, [_config, _api], name)


def _command(
    adapt: Callable[[Callable[..., Any]], Callable[..., int]],
    examples: Sequence[str],
    environment: Sequence[tuple[str, str]],
    common: Sequence[Decorator],
    name: str | None,
) -> Decorator:
    def decorate(function: Callable[..., int]) -> click.Command:
        adapted = functools.update_wrapper(adapt(function), function)
        for option in reversed(common):
            adapted = option(adapted)
        make = click.command(name or function.__name__, cls=Command, examples=examples, environment=environment)
        made: click.Command = make(adapted)
        return made

    return decorate


def _with_loaded(function: Callable[..., int]) -> Callable[..., int]:
    def run(file: Path | None, base: Path | None = None, **options: Any) -> int:
        return function(load(file, base), **options)

    return run


def _with_remote(function: Callable[..., int]) -> Callable[..., int]:
    def run(file: Path | None, api: str | None, **options: Any) -> int:
        from service.cli.connection import remote  # noqa: PLC0415  # local commands need no HTTP client

        return function(remote(load(file, None).config, api), **options)

    return run


def _complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    from service.cli.name_completion import complete_name  # noqa: PLC0415  # only a shell's completion needs it

    return complete_name(ctx.params.get("file"), ctx.params.get("api"), incomplete)


PATH = click.Path(path_type=Path)
UNSEEN = click.Path(readable=False, path_type=Path)
"""A path of which click says nothing: whoever reads it says what is wrong, in every spelling of the option."""

_config = click.option("-c", "--config", "file", type=UNSEEN, metavar="FILE", help="The configuration (./config.yaml).")
_api = click.option("--api", metavar="URL", help=f"The API (${API}, else api.listen of the configuration).")
as_json = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")
lifetime = click.option("--lifetime", type=Seconds(), metavar="TIME", help="How long it is valid, such as 10m or 1h.")
names = click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=_complete_name)
optional_names = click.argument("names", metavar="[NAME...]", nargs=-1, shell_complete=_complete_name)
prefix = click.argument("prefix", metavar="[PREFIX]", default="", shell_complete=_complete_name)
