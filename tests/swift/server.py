"""A real Swift for tests: its virtual environment, made once, and its process, ended with ours."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
SERVE = HERE / "cluster" / "serve.py"
REQUIREMENTS = HERE / "requirements.txt"
PROJECT = HERE.parent.parent


def environments() -> Path:
    """The folder that servers for tests are installed in."""
    home = Path(os.environ.get("SWIFT_TEST_ENVIRONMENTS", PROJECT / "var" / "environments")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    return home


def environment(requirements: Path = REQUIREMENTS) -> Path:
    """A virtual environment with the requirements; made if it is missing."""
    home = environments()
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    path = home / f"{requirements.stem}-{wanted[:12]}"
    done = path / "complete"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", path], check=True)
            pip = [str(path / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", str(requirements)], check=True)
            done.touch()
    return path


@dataclass
class SwiftServer:
    """One Swift below `root`. It may be stopped and started again, with its data and at its URL."""

    root: Path
    options: dict[str, str | int] = field(default_factory=dict)
    url: str = ""
    requirements: Path = REQUIREMENTS
    _process: subprocess.Popen[str] | None = None

    def start(self, *, outlive: bool = False) -> int:
        """The process's id, when requests are answered. It ends with this process, unless it shall outlive it."""
        port = self.url.rpartition(":")[2] or "0"
        options = [f"--{key.replace('_', '-')}={value}" for key, value in self.options.items()]
        python = environment(self.requirements) / "bin" / "python"
        self.root.mkdir(parents=True, exist_ok=True)
        log = self.root / "serve.log"
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, SERVE, self.root, "--port", port, *([] if outlive else ["--die-with-parent"]), *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"Swift did not start:\n{log.read_text()}")
        return self._process.pid

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextlib.contextmanager
def running_swift(root: Path, requirements: Path = REQUIREMENTS, **options: str | int) -> Iterator[SwiftServer]:
    """A Swift that runs for as long as the block. Options are those of `cluster/layout.py`."""
    server = SwiftServer(root, options, requirements=requirements)
    server.start()
    try:
        yield server
    finally:
        server.stop()
