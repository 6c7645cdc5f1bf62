"""Open the sockets on which the service listens. Under `image-gateway up` the supervisor owns them and passes them to
every service that it starts, so that connections wait in the kernel while one service replaces another."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.settings import Config
from gateway.units import split_listen
from service.runtime.paths import Paths

HANDED = "IMAGE_GATEWAY_SOCKETS"  # the variable that names the descriptors handed over: API,FRONT
BACKLOG = 1024  # connections that the kernel holds until they are accepted


@dataclass(frozen=True, slots=True)
class Sockets:
    """Both listen: `api` at api.listen, `front` at the unix socket that nginx asks."""

    api: socket.socket
    front: socket.socket

    @property
    def descriptors(self) -> tuple[int, int]:
        return self.api.fileno(), self.front.fileno()


def was_handed() -> bool:
    """Whether this process was given its sockets, by a supervisor that lets one service follow another."""
    return HANDED in os.environ


@contextlib.contextmanager
def sockets_of(config: Config, paths: Paths) -> Iterator[Sockets]:
    """The sockets that were handed to this process, or new ones. Raises OSError naming what cannot be listened at."""
    with contextlib.ExitStack() as stack:
        if was_handed():
            api, front = (socket.socket(fileno=int(number)) for number in os.environ[HANDED].split(","))
        else:
            api, front = _listen("api.listen", config.api.listen), _open_front(paths.socket)
        yield Sockets(stack.enter_context(api), stack.enter_context(front))


def require_free(option: str, listen: str) -> None:
    """Raises OSError where nothing can listen at the address that the option names; its text says what to do."""
    _listen(option, listen).close()


def _listen(option: str, listen: str) -> socket.socket:
    host, port = split_listen(listen)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise OSError(f"{option}: {listen}: {why}; stop what listens there, or name another address") from error


def _open_front(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(str(path))
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened
