"""What each step costs by the library that `auto` takes and by ImageMagick: the figures of docs/engine.md's table.

One process and one thread; the least of several runs counts, of the stage that the row is about. There is no bar.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from service.engine.environment import environment


def main() -> int:
    """Print the table, from a process with the environment of the engine's."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, **environment(Path(folder))}
        return subprocess.run([sys.executable, "-m", "bench.steps", folder], env=environ, check=False).returncode
