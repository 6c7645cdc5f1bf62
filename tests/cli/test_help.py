"""Help shows examples that work, names the token's variable, and costs no start of a gateway."""

from __future__ import annotations

import re
import shlex
from importlib import metadata

import click
import pytest

from service import cli
from service.cli.commands import COMMANDS, commands

CLIENT = ("upload", "ls", "get", "meta", "url", "rm", "purge", "stats", "warm")


def help_of(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main([name, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_two_examples_which_are_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"^  image-gateway (.*)$", help_of(name, capsys).partition("Examples:\n")[2], re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        called, *arguments = shlex.split(example.partition(" >")[0])
        assert called == name
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        command.make_context(name, arguments)  # raises UsageError


@pytest.mark.parametrize("name", CLIENT)
def test_the_help_of_what_speaks_to_a_gateway_names_the_tokens_variable(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "IMAGE_GATEWAY_TOKEN" in help_of(name, capsys)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"image-gateway {metadata.version('image-gateway')}\n"


def test_what_is_no_command_or_option_is_one_error_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, why in ((["nothing"], "No such command 'nothing'"), (["ls", "--jsn"], "No such option")):
        assert cli.main(arguments) == 2
        assert why in capsys.readouterr().err
