"""No name in a log moves a cursor, ends a line, or reorders what an operator reads."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from gateway.settings import Log
from service.observability import logs

ODD = "a\u202egpj.exe\u2028ERROR\x1b[2J\u0085\u200b.jpg"
TEXT = r"a\u202egpj.exe\u2028ERROR\u001b[2J\u0085\u200b.jpg"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, with its handlers as they were when the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield root
    root.handlers, root.level = handlers, level


def test_a_line_of_text_shows_such_characters_by_their_numbers(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Log(format="text"))
    root.error("cannot read %s", ODD)
    assert capsys.readouterr().err.endswith(f"cannot read {TEXT}\n")


def test_a_line_of_json_does_too_and_means_the_same(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Log(format="json"))
    root.error("cannot read %s", ODD)
    line = capsys.readouterr().err
    assert TEXT in line
    assert json.loads(line)["message"] == f"cannot read {ODD}"
