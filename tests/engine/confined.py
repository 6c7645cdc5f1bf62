"""Entry points of an engine process that tries to break out of its sandbox, or just converts an image with Wand."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import resource
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from wand.exceptions import WandException
from wand.image import Image

from service.engine.job import Job, NotAnImage, Result, Undecodable

_libc = ctypes.CDLL(None, use_errno=True)
_held: list[BinaryIO] = []


def capabilities() -> dict[str, tuple[bool, bool]]:
    with Image(width=1, height=1):
        return {}


def forget() -> None:
    """Nothing is held."""


def derive(job: Job) -> Result:
    """Convert `source` to `output`."""
    with Image(filename=f"{job.header.format}:{job.source}") as image:
        image.format = job.format
        image.save(filename=job.output)
        return Result(job.format, image.width, image.height, 1, Path(job.output).stat().st_size)


def verify(job: Job) -> Result:
    """Make the attempt that the recipe names. Succeeds when it succeeded, else NotAnImage tells the errno's name.

    In the value, SOURCE and OUTPUT stand for the files of the job, RESULTS for the folder of its output.
    """
    word, value = next(iter(job.recipe.items()))
    places = {"SOURCE": job.source, "OUTPUT": job.output, "RESULTS": str(Path(job.output).parent)}
    for name, place in places.items():
        value = value.replace(name, place)
    try:
        _ATTEMPTS[word](value)
    except OSError as error:
        raise NotAnImage(errno.errorcode.get(error.errno or 0, str(error))) from None
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


def _call(words: str) -> None:
    """A system call by its number, with arguments."""
    number, *arguments = map(int, words.split())
    if _libc.syscall(*map(ctypes.c_long, (number, *arguments))) < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")


def _calls(numbers: str) -> None:
    """System calls by their numbers, with arguments that mean nothing. Raises NotAnImage with what each came to."""
    outcomes = []
    for number in numbers.split():
        ctypes.set_errno(0)
        _libc.syscall(*map(ctypes.c_long, (int(number), *(-1 for _ in range(6)))))
        outcomes.append(errno.errorcode.get(ctypes.get_errno(), "done"))
    raise NotAnImage(" ".join(outcomes))


def _set_limit(what: str) -> None:
    """Set a limit to what it is: to CPU or NOFILE."""
    limit = getattr(resource, f"RLIMIT_{what}")
    resource.prlimit(0, limit, resource.getrlimit(limit))


def _make_many(folder: str) -> None:
    """As many sparse files as can be made, 900 MiB each."""
    for number in range(40):
        with Path(folder, f"sparse{number}").open("wb") as file:
            file.truncate(900 << 20)


def _map(path: str) -> None:
    with Path(path).open("r+b") as file:
        file.truncate(4096)
        mmap.mmap(file.fileno(), 4096)


def _hold(path: str) -> None:
    file = Path(path).open("r+b")  # noqa: SIM115  # it stays open
    file.write(b"x")
    _held.append(file)


def _set_times(path: str) -> None:
    os.utime(path, (0, 0))


def _blaming(call: Callable[[], object]) -> None:
    """What a reader does that takes any failure of its library for damage."""
    try:
        call()
    except (OSError, WandException) as error:
        raise Undecodable("the image is damaged") from error


def _save(path: str) -> None:
    with Image(width=1, height=1) as image:
        image.save(filename=f"gif:{path}")


_ATTEMPTS: dict[str, Callable[[str], object]] = {
    "become": _become,
    "affinity of": lambda pid: os.sched_getaffinity(int(pid)),
    "call": _call,
    "calls": _calls,
    "chmod": lambda path: Path(path).chmod(0o4755),
    "chown": lambda path: os.chown(path, 1, 1),
    "connect": lambda port: socket.create_connection(("127.0.0.1", int(port)), timeout=1),
    "exec": lambda path: os.execv(path, [path]),
    "fork": lambda _: os.fork(),
    "grow": _grow,
    "hold": _hold,
    "limit of": _limit_of,
    "link": lambda path: os.link(path, f"{path}.link"),
    "list": os.listdir,
    "make many": _make_many,
    "map": _map,
    "open as Python and blame the image": lambda path: _blaming(Path(path).touch),
    "save by ImageMagick and blame the image": lambda path: _blaming(lambda: _save(path)),
    "memory file": os.memfd_create,
    "open many": _open_many,
    "program": lambda path: subprocess.run([path], check=True),
    "raise limit": _raise_limit,
    "pin": lambda pid: os.sched_setaffinity(int(pid), {0}),
    "priority of": lambda pid: os.setpriority(os.PRIO_PROCESS, int(pid), 19),
    "read": lambda path: Path(path).read_bytes(),
    "remove": lambda path: Path(path).unlink(),
    "remove attribute": lambda path: os.removexattr(path, "user.note"),
    "rename": lambda path: Path(path).rename(f"{path}.new"),
    "set attribute": lambda path: os.setxattr(path, "user.note", b"x"),
    "set limit": _set_limit,
    "signal": _signal,
    "socket": lambda family: socket.socket(int(family)),
    "symlink": lambda path: Path(f"{path}.link").symlink_to("/etc/passwd"),
    "thread": _thread,
    "times": _set_times,
    "write much": _write_much,
    "write": _write,
}
