"""Completion: what a shell's script completes, run as the shell runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.client import Gateway
from tests.cli.terminal import Terminal

BIN = Path(sys.executable).parent


def environ(**more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **more}


def complete_in_bash(line: str, **more: str) -> list[str]:
    """What bash offers behind `line`, by the script as it is printed."""
    code = """
        eval "$(image-gateway completion bash)"
        COMP_WORDS=($1) COMP_CWORD=$(( $2 - 1 ))
        _image_gateway_completion image-gateway
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    words = line.split(" ")
    ran = subprocess.run(
        ["bash", "-c", code, "bash", line, str(len(words))],
        capture_output=True,
        text=True,
        check=True,
        env=environ(**more),
        timeout=60,
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def complete_for_zsh(line: str) -> list[str]:
    """What the program answers zsh's script: a kind, a word and its help, a line each."""
    words = line.split(" ")
    ran = subprocess.run(
        ["image-gateway"],
        capture_output=True,
        text=True,
        check=True,
        env=environ(_IMAGE_GATEWAY_COMPLETE="zsh_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)),
        timeout=60,
    )
    return ran.stdout.splitlines()


def test_bash_completes_commands_and_options() -> None:
    assert complete_in_bash("image-gateway st") == ["stats"]
    assert complete_in_bash("image-gateway ls --js") == ["--json"]


def test_bash_completes_names_of_images_a_level_at_a_time(
    terminal: Terminal, client: Gateway, folder: str, cat: bytes
) -> None:
    for name in ("one.jpg", "inner/two.jpg"):
        client.upload(f"{folder}/{name}", cat)
    api = {"IMAGE_GATEWAY_API": terminal.api}
    assert complete_in_bash(f"image-gateway get {folder}/", **api) == [f"{folder}/inner/", f"{folder}/one.jpg"]
    assert complete_in_bash("image-gateway get x", IMAGE_GATEWAY_API="http://127.0.0.1:9") == []


def test_zsh_completes_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    script = subprocess.run(
        ["image-gateway", "completion", "zsh"], capture_output=True, text=True, check=True, env=environ(), timeout=60
    ).stdout
    assert script.startswith("#compdef image-gateway")
    assert "_IMAGE_GATEWAY_COMPLETE=zsh_complete image-gateway" in script
    assert complete_for_zsh("image-gateway st")[:2] == ["plain", "stats"]
