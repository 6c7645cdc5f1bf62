"""Find what this machine's ImageMagick can do, in a process with the environment of an engine process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from gateway.settings import Config
from service.engine.environment import environment
from service.engine.job import EngineError
from service.engine.pool.ending import FROM_OUTSIDE
from service.engine.pool.staff import STARTS
from service.engine.sandbox.policy import PolicyLimits, write_configuration

_ASK = "import json, sys; from service.engine.pipeline import capabilities; json.dump(capabilities(), sys.stdout)"
_LACKS = """
import json, sys
from service.engine.magick.shortcomings import found
json.dump([f"{each.what}: {each.instead}, for {each.why}" for each in found(*map(str.split, sys.argv[1:]))], sys.stdout)
"""
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


def capabilities(config: Config) -> dict[str, tuple[bool, bool]]:
    """By format, whether it can be read and written under the configured policy, which no other process sees: the
    configuration may never come in force. Raises EngineError."""
    answer = _asked(config, _ASK)
    return {word: (can_read, can_write) for word, (can_read, can_write) in answer.items()}


def shortcomings(config: Config) -> list[str]:
    """What ImageMagick cannot do under the configured policy, what does it instead, and why. Raises EngineError."""
    return [str(line) for line in _asked(config, _LACKS, " ".join(config.formats.accept), " ".join(config.formats.out))]


def _asked(config: Config, program: str, *arguments: str) -> Any:
    """The JSON that a program prints in the environment of an engine process. Raises EngineError."""
    with tempfile.TemporaryDirectory() as folder:
        write_policy(config, Path(folder))
        for _ in range(STARTS):
            asked = subprocess.run(
                [sys.executable, "-P", "-c", program, *arguments],
                env=environment(Path(folder)),
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
    return json.loads(asked.stdout)


def reason(status: int, errors: str) -> str:
    """Why a process ended: the last line that it wrote to standard error, or its exit status where it wrote none."""
    return (errors.strip().splitlines() or [f"exit status {status}"])[-1]


def writable_formats(config: Config) -> set[str]:
    """The formats that can be made here. Raises EngineError."""
    return {word for word, (_, can_write) in capabilities(config).items() if can_write}
