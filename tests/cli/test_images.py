"""`ls`, `meta`, `url`, `stats` and `rm`: what they print for people and for programs, and how they end."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence

import pytest

from service.client import Gateway
from tests.cli.terminal import Terminal


@pytest.fixture
def names(client: Gateway, folder: str, cat: bytes) -> list[str]:
    made = [f"{folder}/{name}" for name in ("a.jpg", "b.jpg", "inner/c.jpg")]
    for name in (*made, f"{folder}-other/d.jpg"):
        client.upload(name, cat)
    return made


def answering(answer: str, command: Sequence[str]) -> tuple[int, str]:
    """Run a command at a terminal, where `answer` is typed; its exit status, and what it says on standard error."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *command], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        os.write(ours, f"{answer}\n".encode())
        return process.wait(60), process.communicate()[1].decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_listing_of_what_is_not_there_says_so_and_fails(terminal: Terminal, names: list[str], folder: str) -> None:
    missing = f"{folder}/nothing"
    said = [f"there is no image whose name begins with {missing}"]
    assert terminal.run("ls", missing, status=1) == said
    assert terminal.run("ls", missing, "--folders", status=1) == said
    assert terminal.both("ls", missing, "--json", status=1) == (["[]"], said)
    assert terminal.run("ls", folder, "--regex", "png$", status=1) == [f"{said[0][:-8]} and matches png$"]


def test_a_listing_is_an_array_for_programs(terminal: Terminal, names: list[str], folder: str, cat: bytes) -> None:
    listed = json.loads("\n".join(terminal.run("ls", f"{folder}/", "--json")))
    assert [(one["name"], one["bytes"], one["content_type"]) for one in listed] == [
        (name, len(cat), "image/jpeg") for name in names
    ]
    level = json.loads("\n".join(terminal.run("ls", f"{folder}/", "--folders", "--json")))
    assert [one.get("name", one.get("folder")) for one in level] == [*names[:2], f"{folder}/inner/"]


def test_metadata_of_several_is_one_array_in_which_the_missing_has_its_problem(
    terminal: Terminal, names: list[str], folder: str
) -> None:
    missing = f"{folder}/none.jpg"
    out, errors = terminal.both("meta", names[0], missing, "--json", status=1)
    first, second = json.loads("\n".join(out))
    assert (first["name"], first["metadata"]["width"]) == (names[0], 320)
    assert (second["name"], second["problem"]["status"]) == (missing, 404)
    assert errors == [f"{missing}: 404: there is no such image"]


def test_temporary_urls_and_numbers_are_json_too(terminal: Terminal, names: list[str]) -> None:
    (result,) = json.loads("\n".join(terminal.run("url", names[0], "--lifetime", "1h", "--json")))
    assert result["name"] == names[0]
    assert "temp_url_sig=" in result["url"]
    assert json.loads("\n".join(terminal.run("stats", "--json")))["derived"]["counted"] in (True, False)


def test_a_folder_is_removed_with_yes_and_each_name_is_told(
    terminal: Terminal, client: Gateway, names: list[str], folder: str
) -> None:
    assert terminal.run("rm", "--recursive", "--yes", f"{folder}/") == [f"removed {name}" for name in names]
    assert [image.name for image in client.images(folder)] == [f"{folder}-other/d.jpg"]
    missing = terminal.run("rm", "-ry", folder, status=1)
    assert missing == [f"{folder}: 404: there is no such image"]


def test_without_a_terminal_a_folder_is_removed_only_with_yes(
    terminal: Terminal, client: Gateway, names: list[str], folder: str
) -> None:
    assert "--yes removes 3 images" in terminal.run("rm", "-r", folder, status=2)[-1]
    assert "name a folder" in terminal.run("rm", "-ry", "/", status=2)[-1]
    assert len(list(client.images(f"{folder}/"))) == 3


@pytest.mark.parametrize(("answer", "status", "left"), [("n", 1, 3), ("y", 0, 0)])
def test_at_a_terminal_it_names_what_goes_and_asks(
    terminal: Terminal, client: Gateway, names: list[str], folder: str, answer: str, status: int, left: int
) -> None:
    ended, said = answering(answer, ["rm", "-r", folder, "--api", terminal.api])
    assert ended == status
    assert "\n".join(names) in said
    assert "remove 3 images" in said
    assert len(list(client.images(f"{folder}/"))) == left
