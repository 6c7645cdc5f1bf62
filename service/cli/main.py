"""The entry of `image-gateway`. It loads the commands when it runs: Ctrl-C is one line from the first moment on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from service.cli.shell import STOPPED

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look through all installed packages for them


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Mistakes are printed on standard error, a line each."""
    try:
        from service.cli import running  # noqa: PLC0415  # Ctrl-C may come while it is loaded

        run = running.plain(sys.argv[1:] if arguments is None else arguments)
        return _explained(run) if run else _by_click(arguments)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return STOPPED


def _by_click(arguments: Sequence[str] | None) -> int:
    from service.cli.commands import run  # noqa: PLC0415  # what runs for long does without

    return run(arguments)


def _explained(run: Callable[[], int]) -> int:
    """Run a command; a failure that the user can mend is its message."""
    try:
        return run()
    except Exception as error:
        from service.cli.explained import explain  # noqa: PLC0415

        message = explain(error)
        if message is None:
            raise
        print(message, file=sys.stderr)
        return 1
