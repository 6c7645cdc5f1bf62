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
REQUIREMENTS = HERE / "requirements.txt"
PROJECT = HERE.parent.parent


def environment() -> Path:
    """The virtual environment with Swift in it: $SWIFT_TEST_ENVIRONMENT, else below var/; made when it is missing."""
    path = Path(os.environ.get("SWIFT_TEST_ENVIRONMENT", PROJECT / "var" / "swift-environment")).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    done = path / "requirements.sha256"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        if not done.exists() or done.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", path], check=True)
            pip = [path / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
            done.write_text(wanted)
    return path


@dataclass
class SwiftServer:
    """One Swift below `root`. It may be stopped and started again, with its data and at its URL."""

    root: Path
    options: dict[str, str | int] = field(default_factory=dict)
    url: str = ""
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when requests are answered."""
        port = self.url.rpartition(":")[2] or "0"
        options = [f"--{key.replace('_', '-')}={value}" for key, value in self.options.items()]
        python = environment() / "bin" / "python"
        self.root.mkdir(parents=True, exist_ok=True)
        log = self.root / "serve.log"
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, HERE / "cluster" / "serve.py", self.root, "--port", port, "--die-with-parent", *options],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"Swift did not start:\n{log.read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextlib.contextmanager
def running_swift(root: Path, **options: str | int) -> Iterator[SwiftServer]:
    """A Swift that runs for as long as the block. Options are those of `cluster/layout.py`."""
    server = SwiftServer(root, options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
