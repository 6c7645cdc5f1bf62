"""The examples of docs/api.md, all of which run, one after the other, on a service with Swift."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.on_swift import Service, running_on_swift

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_on_swift(tmp_path_factory.mktemp("documented")) as running:
        yield running


def examples() -> list[Any]:
    """The blocks of the documentation that run, with what they print where a block of output follows."""
    found = []
    blocks = list(re.finditer(r"^```(\w+)\n(.*?)^```$", DOCS.read_text(), re.M | re.S))
    for block, after in zip(blocks, [*blocks[1:], None], strict=True):
        if block[1] in ("sh", "python"):
            output = (after[1], after[2]) if after is not None and after[1] in ("json", "text") else ("", "")
            found.append((block[1], block[2], *output))
    return found


@pytest.fixture(scope="module")
def desk(service: Service, tmp_path_factory: pytest.TempPathFactory, cat: bytes, dog: bytes) -> Path:
    """A working folder with what the examples speak of."""
    root = tmp_path_factory.mktemp("desk")
    (root / "album").mkdir()
    for name, data in (("cat.jpg", cat), ("dog.png", dog), ("album/one.jpg", cat), ("album/two.png", dog)):
        (root / name).write_bytes(data)
    return root


def test_every_example_of_the_documentation_runs_and_answers_as_it_says(service: Service, desk: Path) -> None:
    api = str(service.api.base_url).rstrip("/")
    environ = {**os.environ, "API": api, "IMAGE_GATEWAY_API": api}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    ran = 0
    for language, code, kind, output in examples():
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=desk, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
        if kind == "json":
            assert shape(json.loads(done.stdout)) == shape(json.loads(output)), f"{code}\n{done.stdout}"
        elif kind == "text":
            assert done.stdout == output, code
        ran += 1
    assert ran > 20


def shape(value: Any) -> Any:
    """What an answer is, whatever it says: keys, and the kinds of their values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
