"""Entry points of an engine process that misbehaves on request: the recipe says how."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from service.engine.job import Job, NotAnImage, Result

NOTES = "notes"
DEATHS = "deaths"
"""A file beside the notes: how many processes are killed before they are ready."""

STARTED = "started"

_kept: list[bytearray] = []
_open: list[TextIO] = []


def capabilities() -> dict[str, tuple[bool, bool]]:
    """Called before the sandbox is closed: what is opened here, stays open."""
    folder = Path(os.environ["MAGICK_CONFIGURE_PATH"])
    _open.append((folder / NOTES).open("a+"))
    if (folder / DEATHS).exists() and _noted().count(STARTED) < int((folder / DEATHS).read_text()):
        _note(STARTED)
        os.kill(os.getpid(), signal.SIGKILL)
    return {"png": (True, True)}


def forget() -> None:
    """Nothing is held."""


def derive(job: Job) -> Result:
    """Do what `recipe` says in its order, write the output; the result's `bytes` are the process's id."""
    for word, value in job.recipe.items():
        if word == "leave half":
            Path(job.output).write_text("half")
        else:
            _DEEDS[word](value)
    if job.output:
        Path(job.output).write_text("made")
    return Result(
        "png" + "x" * int(job.recipe.get("babble", "0")),
        1,
        1,
        1,
        os.getpid(),
        {"encode": 0.5},
        transcoded="transcodes" in job.recipe,
    )


def _wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.005)


def _note(text: str) -> None:
    """Write a line into the file NOTES of the folder of ImageMagick's policy."""
    print(text, file=_open[0], flush=True)


def _noted() -> list[str]:
    _open[0].seek(0)
    return _open[0].read().splitlines()


def _end_by(number: str) -> None:
    """End by a signal, also where the shell of the tests has them ignore it, as nohup does SIGHUP."""
    if int(number) != signal.SIGKILL:
        signal.signal(int(number), signal.SIG_DFL)
    os.kill(os.getpid(), int(number))


def _end_once_by(number: str) -> None:
    if "ended" not in _noted():
        _note("ended")
        _end_by(number)


def _refuse(text: str) -> None:
    raise NotAnImage(text)


def _fail(text: str) -> None:
    raise KeyError(text)


def _segfault(_: str) -> None:
    ctypes.string_at(0)


def _spin(_: str) -> None:
    while True:
        pass


def _keep(size: str) -> None:
    kept = bytearray(int(size))
    kept[::4096] = b"x" * len(range(0, len(kept), 4096))  # a page is held only once it is written
    _kept.append(kept)


def _free(size: str) -> None:
    """Take memory in parts that the C library does not give back by itself, for the last of them stays."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    parts = [libc.malloc(ctypes.c_size_t(1 << 20)) for _ in range(int(size) >> 20)]
    for part in parts:
        ctypes.memset(part, 1, 1 << 20)
    for part in parts[:-1]:
        libc.free(ctypes.c_void_p(part))


_DEEDS: dict[str, Callable[[str], object]] = {
    "babble": int,
    "end by": _end_by,
    "end once by": _end_once_by,
    "fail": _fail,
    "free": _free,
    "hang": lambda _: time.sleep(3600),
    "keep": _keep,
    "note": _note,
    "other": str,
    "print": lambda text: os.write(1, text.encode() + b"\n"),
    "refuse": _refuse,
    "segfault": _segfault,
    "shout": lambda length: os.write(2, b"x" * int(length)),
    "transcodes": str,
    "spin": _spin,
    "wait": _wait_for,
}
