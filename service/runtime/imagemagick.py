"""Find what this machine's ImageMagick can do, in a process with the environment of an engine process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.settings import Config
from service.engine.environment import environment
from service.engine.job import EngineError
from service.engine.pool.ending import FROM_OUTSIDE
from service.engine.pool.staff import STARTS
from service.engine.sandbox.policy import PolicyLimits, write_configuration
from service.runtime.memory import Memory

_ASK = """
from service.engine import answering
from service.engine.pipeline import capabilities
answering.answer(capabilities())
"""
_LACKS = """
import sys
from service.engine import answering
from service.engine.magick.shortcomings import found
answering.answer([f"{each.what}: {each.instead}, for {each.why}" for each in found(*map(str.split, sys.argv[1:]))])
"""
FORMATS = "formats.json"  # in the runtime folder: what can be read and written here
TIME = 60.0  # seconds


def write_policy(config: Config, folder: Path) -> None:
    """Write ImageMagick's configuration for the engine into a folder. Raises OSError."""
    limits = config.limits
    write_configuration(
        folder,
        config.formats.accept,
        config.formats.out,
        PolicyLimits(memory=config.engine.memory, pixels=limits.pixels, side=65535, frames=limits.frames),
    )


def capabilities(config: Config, memory: Memory | None = None) -> dict[str, tuple[bool, bool]]:
    """By format, whether it can be read and written under the configured policy, which no other process sees: the
    configuration may never come in force. With a `memory` it is asked only where that holds no answer. Raises
    EngineError."""
    answer = _asked(config, memory, _ASK)
    return {word: (can_read, can_write) for word, (can_read, can_write) in answer.items()}


def shortcomings(config: Config) -> list[str]:
    """What ImageMagick cannot do under the configured policy, what does it instead, and why. Raises EngineError."""
    formats = " ".join(config.formats.accept), " ".join(config.formats.out)
    return [str(line) for line in _asked(config, None, _LACKS, *formats)]


def _asked(config: Config, memory: Memory | None, program: str, *arguments: str) -> Any:
    """What a program answers in the environment of an engine process. Raises EngineError."""
    with tempfile.TemporaryDirectory() as folder:
        write_policy(config, Path(folder))
        variables = environment(Path(folder))
        question = _question(Path(folder), variables, program, *arguments)
        if memory and (recalled := memory.recall(question)) is not None:
            return recalled
        for _ in range(STARTS):
            asked = subprocess.run(
                [sys.executable, "-P", "-c", program, *arguments],
                env=variables,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIME,
                start_new_session=True,  # Ctrl-C is ours
            )
            if -asked.returncode not in FROM_OUTSIDE:
                break
        if asked.returncode:
            raise EngineError(f"ImageMagick cannot be used: {reason(asked.returncode, asked.stderr)}")
        said = json.loads(asked.stdout)
        if memory:
            memory.hold(question, said["answer"], (file for file in said["loaded"] if not file.startswith(folder)))
        return said["answer"]


def _question(policy: Path, variables: Mapping[str, str], *parts: str) -> str:
    """All that an answer depends on beside the libraries; the name of the policy's folder is always another."""
    texts = [file.read_text("utf-8") for file in sorted(policy.iterdir())]
    settings = sorted(f"{name}={value}" for name, value in variables.items() if value != str(policy))
    return json.dumps([*parts, *settings, *texts])


def reason(status: int, errors: str) -> str:
    """Why a process ended: the last line that it wrote to standard error, or its exit status where it wrote none."""
    return (errors.strip().splitlines() or [f"exit status {status}"])[-1]


def writable_formats(config: Config, memory: Memory | None = None) -> set[str]:
    """The formats that can be made here. Raises EngineError."""
    return {word for word, (_, can_write) in capabilities(config, memory).items() if can_write}
