"""`up` and `serve`, the commands that run for as long as a gateway. What they load they hold, so as they are mostly
given they are read here, without click."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from service.cli.loading import load

WHILE_LOADING = 50_000
"""Objects more than before from which on cycles are looked for until the service sets a bound of its own: modules that
are loaded leave few, and the default of 700 takes a twentieth of a start."""


def up(file: Path | None = None) -> int:
    """Run nginx and the service until SIGTERM or Ctrl-C; the exit status."""
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]  # asyncio does without OpenSSL, and so holds less
    from service.supervise.up import up as run  # noqa: PLC0415  # the service needs no supervisor

    return run(file)


def serve(file: Path | None = None, base: Path | None = None, lead: int | None = None) -> int:
    """Run the service until SIGTERM or Ctrl-C; the exit status. `lead` is the socket on which a supervisor is told what
    is prepared."""
    gc.set_threshold(WHILE_LOADING)
    if lead is None:
        config = load(file, base).config
    else:
        from service.supervise.leading import lead as prepare  # noqa: PLC0415  # a restart prepares nothing

        prepared = prepare(socket.socket(fileno=lead), file)
        if prepared is None:
            return 1
        config = prepared
    from service.runtime.trust import import_aiohttp  # noqa: PLC0415

    import_aiohttp()
    from service import app  # noqa: PLC0415  # the supervisor needs no uvloop and no engine

    app.serve(config)
    return 0


_OPTIONS: dict[Callable[..., int], dict[str, tuple[str, Callable[[str], Any]]]] = {
    up: {"-c": ("file", Path)},
    serve: {"-c": ("file", Path), "--base": ("base", Path), "--lead": ("lead", int)},
}
"""The parameter and its type of each option."""


def plain(arguments: Sequence[str]) -> Callable[[], int] | None:
    """What runs the command, None where click has to read it: another one, a call for help, a mistake."""
    name, options = arguments[:1], arguments[1:]
    command = next((one for one in _OPTIONS if [one.__name__] == list(name)), None)
    if command is None or len(options) % 2:
        return None
    given: dict[str, Any] = {}
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option not in _OPTIONS[command] or value.startswith("-"):
            return None
        parameter, kind = _OPTIONS[command][option]
        try:
            given[parameter] = kind(value)
        except ValueError:
            return None
    return partial(command, **given)
