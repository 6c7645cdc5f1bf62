"""Entry points of an engine process that tries to break out of its sandbox, or just converts an image with Wand."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from wand.image import Image

from service.engine.job import Job, NotAnImage, Result

_libc = ctypes.CDLL(None, use_errno=True)


def capabilities() -> dict[str, tuple[bool, bool]]:
    with Image(width=1, height=1):
        return {}


def derive(job: Job) -> Result:
    """Convert `source` to `output`."""
    with Image(filename=f"{job.header.format}:{job.source}") as image:
        image.format = job.format
        image.save(filename=job.output)
        return Result(job.format, image.width, image.height, 1, Path(job.output).stat().st_size)


def verify(job: Job) -> Result:
    """Make the attempt that the recipe names. Succeeds when it succeeded, else NotAnImage tells the errno's name."""
    word, value = next(iter(job.recipe.items()))
    try:
        _ATTEMPTS[word](value)
    except OSError as error:
        raise NotAnImage(errno.errorcode.get(error.errno or 0, str(error))) from error
    return Result("", 0, 0, 0, 0)


def _grow(size: str) -> None:
    bytearray(int(size))


def _write(path: str) -> None:
    Path(path).write_text("x")


def _write_much(path: str) -> None:
    with Path(path).open("wb") as file:
        file.truncate(1 << 40)


def _open_many(path: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(4096):
            stack.enter_context(Path(path).open())


def _thread(_: str) -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def _signal(pid: str) -> None:
    os.kill(int(pid), 0)


def _raise_limit(_: str) -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    try:
        resource.setrlimit(resource.RLIMIT_AS, (hard + 1, hard + 1))
    except ValueError as error:  # how Python tells EPERM here
        raise PermissionError(errno.EPERM, str(error)) from error


def _become(uid: str) -> None:
    os.setuid(int(uid))


def _limit_of(pid: str) -> None:
    resource.prlimit(int(pid), resource.RLIMIT_NOFILE)


def _call(number: str) -> None:
    """A system call by its number, with arguments that make a socket, or none that matter."""
    if _libc.syscall(int(number), int(socket.AF_INET), int(socket.SOCK_STREAM), 0) < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")


_ATTEMPTS: dict[str, Callable[[str], object]] = {
    "become": _become,
    "call": _call,
    "connect": lambda port: socket.create_connection(("127.0.0.1", int(port)), timeout=1),
    "exec": lambda path: os.execv(path, [path]),
    "fork": lambda _: os.fork(),
    "grow": _grow,
    "limit of": _limit_of,
    "open many": _open_many,
    "program": lambda path: subprocess.run([path], check=True),
    "raise limit": _raise_limit,
    "read": lambda path: Path(path).read_bytes(),
    "signal": _signal,
    "socket": lambda family: socket.socket(int(family)),
    "thread": _thread,
    "write much": _write_much,
    "write": _write,
}
