"""Open the sockets on which the service listens. Under `image-gateway up` the supervisor owns them and passes them to
every service that it starts, so that connections wait in the kernel while one service replaces another."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the supervisor, which holds the sockets, has no use for the configuration
    from gateway.settings import Config
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

    def detach(self) -> None:
        """Leave the descriptors open for good, for `sockets_of` to find."""
        self.api.detach()
        self.front.detach()


def was_handed() -> bool:
    """Whether this process was given its sockets, by a supervisor that lets one service follow another."""
    return HANDED in os.environ


@contextlib.contextmanager
def sockets_of(config: Config, paths: Paths) -> Iterator[Sockets]:
    """The sockets that were handed to this process, or new ones. Raises OSError naming what cannot be listened at."""
    with contextlib.ExitStack() as stack:
        if was_handed():
            sockets = taken(int(number) for number in os.environ[HANDED].split(","))
        else:
            sockets = open_sockets(config, paths)
        stack.enter_context(sockets.api)
        stack.enter_context(sockets.front)
        yield sockets


def open_sockets(config: Config, paths: Paths) -> Sockets:
    """Listen at both. Raises OSError naming what cannot be listened at."""
    return Sockets(_listen("api.listen", config.api.listen), _open_front(paths.socket))


def taken(descriptors: Iterable[int]) -> Sockets:
    """The sockets that these descriptors are, in the order of `Sockets.descriptors`."""
    api, front = (socket.socket(fileno=number) for number in descriptors)
    return Sockets(api, front)


def require_free(option: str, listen: str) -> None:
    """Raises OSError where nothing can listen at the address that the option names; its text says what to do."""
    _listen(option, listen).close()


def _listen(option: str, listen: str) -> socket.socket:
    from gateway.units import split_listen  # noqa: PLC0415  # the supervisor opens no sockets

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
