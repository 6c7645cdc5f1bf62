"""Accepts a configuration for Gunicorn's master, and prints as JSON what Gunicorn needs of it.

`deploy/gunicorn/gunicorn.conf.py` runs this as a program, at the start and at every reload: the master itself imports
nothing of the gateway. Workers read the accepted copy, so one that follows a crashed worker has the configuration in
force, not what its file says by then.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from gateway.config import ConfigError, Mistake
from gateway.settings import Config
from service.runtime.configuration import read_config
from service.runtime.lock import AlreadyRunning, exclusive
from service.runtime.naming import plainly
from service.runtime.paths import Paths, make_folders, paths_of
from service.runtime.sockets import BACKLOG, require_free
from service.supervise.accepted import ACCEPTED, FIXED, write_private

CONFIG = "IMAGE_GATEWAY_CONFIG"  # the variable that names the configuration; without it, ./config.yaml
BEFORE = "accepted.before.yaml"  # the configuration in force while a reload is not yet decided
BOUND = ("api.listen", "cache.root", "runtime.root")  # what only a new start can change


def main(arguments: list[str]) -> int:
    """Accept the configuration for a start, for a `reload`, or to `adopt` what another master accepted (SIGUSR2).

    Returns the exit status; mistakes are on standard error, a line each.
    """
    reloading = arguments == ["reload"]
    try:
        config, text = _read()
        paths = paths_of(config)
        if arguments == ["adopt"]:
            config, _ = read_config(paths.runtime / ACCEPTED, config.base.absolute())
        elif reloading:
            _require_same(config, paths)
            _accept(paths, text, retain=True)
        else:
            make_folders(paths)
            _require_alone(config, paths)
            _accept(paths, text, retain=False)
    except (ConfigError, AlreadyRunning, OSError) as error:
        reason = plainly(error) if isinstance(error, OSError) else str(error)
        for line in reason.splitlines():
            print(f"not reloaded: {line}" if reloading else line, file=sys.stderr)
        return 1
    print(json.dumps(_settings(config, paths)))
    return 0


def _read() -> tuple[Config, str]:
    given = os.environ.get(CONFIG)
    config, file = read_config(Path(given) if given else None)
    return config, file.read_text("utf-8") if file else ""


def _settings(config: Config, paths: Paths) -> dict[str, object]:
    return {
        "bind": [config.api.listen, f"unix:{paths.socket}"],
        "backlog": BACKLOG,
        "runtime": str(paths.runtime),
        "configuration": str(paths.runtime / ACCEPTED),
        "base": str(config.base.absolute()),
    }


def _require_alone(config: Config, paths: Paths) -> None:
    """Gunicorn takes an existing socket file away from its owner, and tries five times at a port that is taken."""
    for role in ("up", "service"):
        with exclusive(paths.runtime, role):
            pass
    require_free("api.listen", config.api.listen)


def _require_same(config: Config, paths: Paths) -> None:
    """Raises ConfigError where a reload would have to change what it cannot."""
    accepted = paths.runtime / ACCEPTED
    if not accepted.exists():
        raise ConfigError([Mistake(0, "the configuration", "runtime.root", "only a new start can change it")])
    in_force, _ = read_config(accepted, config.base.absolute())
    changed = [key for key in BOUND if FIXED[key](config) != FIXED[key](in_force)]
    if changed:
        raise ConfigError([Mistake(0, "the configuration", key, "only a new start can change it") for key in changed])


def _accept(paths: Paths, text: str, *, retain: bool) -> None:
    """Make this the configuration that workers read; `retain` the one before until a worker runs with the new one."""
    accepted, before = paths.runtime / ACCEPTED, paths.runtime / BEFORE
    if not retain:
        before.unlink(missing_ok=True)
    elif not before.exists():  # else no worker runs yet with the accepted one
        write_private(before, accepted.read_text("utf-8"))
    write_private(accepted, text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
