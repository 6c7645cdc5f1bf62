"""What the libraries were asked is remembered until one of them changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.engine.answering import loaded
from service.runtime.memory import Memory


@pytest.fixture
def library(tmp_path: Path) -> Path:
    file = tmp_path / "lib" / "library.so"
    file.parent.mkdir()
    file.write_text("one")
    return file


@pytest.fixture
def memory(tmp_path: Path, library: Path) -> Memory:
    held = Memory(tmp_path / "answer.json")
    held.hold("what can it do?", {"png": [True, False]}, [str(library)])
    return held


def test_an_answer_is_remembered(memory: Memory) -> None:
    assert memory.recall("what can it do?") == {"png": [True, False]}


def test_another_question_has_no_answer(memory: Memory) -> None:
    assert memory.recall("what can it not do?") is None


def test_nothing_is_remembered_before_the_first_answer(tmp_path: Path) -> None:
    assert Memory(tmp_path / "none.json").recall("what can it do?") is None


def test_a_library_that_is_replaced_by_one_of_the_same_size_and_time_is_asked_again(
    memory: Memory, library: Path
) -> None:
    before = library.stat()
    library.with_name("new").write_text("two")
    os.utime(library.with_name("new"), ns=(before.st_atime_ns, before.st_mtime_ns))
    library.with_name("new").replace(library)
    assert memory.recall("what can it do?") is None


def test_a_library_that_is_gone_is_asked_again(memory: Memory, library: Path) -> None:
    library.unlink()
    assert memory.recall("what can it do?") is None


def test_a_coder_that_is_installed_beside_is_found(memory: Memory, library: Path) -> None:
    library.with_name("coder.so").touch()
    assert memory.recall("what can it do?") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"question": 1}'])
def test_a_memory_that_is_damaged_is_none(memory: Memory, tmp_path: Path, text: str) -> None:
    (tmp_path / "answer.json").write_text(text)
    assert memory.recall("what can it do?") is None


def test_a_disk_that_refuses_the_memory_is_no_failure(tmp_path: Path, library: Path) -> None:
    memory = Memory(tmp_path / "no" / "folder" / "answer.json")
    memory.hold("what can it do?", "all", [str(library)])
    assert memory.recall("what can it do?") is None


def test_an_answer_depends_on_libraries_and_modules() -> None:
    names = {Path(file).name for file in loaded()}
    assert "answering.py" in names
    assert any(name.startswith("libc") for name in names)


def test_a_program_answers_with_its_files() -> None:
    code = "from service.engine import answering; answering.answer([1, 2])"
    said = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert said["answer"] == [1, 2]
    assert all(Path(file).is_absolute() for file in said["loaded"])
