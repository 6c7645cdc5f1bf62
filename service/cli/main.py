"""The entry of `image-gateway`. It loads the commands when it runs: Ctrl-C is one line from the first moment on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from service.cli.shell import STOPPED

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look through all installed packages for them


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Mistakes are printed on standard error, a line each."""
    try:
        from service.cli.commands import run  # noqa: PLC0415  # Ctrl-C may come while it is loaded

        return run(arguments)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return STOPPED
