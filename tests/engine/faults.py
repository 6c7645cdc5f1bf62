"""Entry points of an engine process that misbehaves on request: the recipe says how."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path

from service.engine.job import Job, NotAnImage, Result

_kept: list[bytearray] = []


def capabilities() -> dict[str, tuple[bool, bool]]:
    return {"png": (True, True)}


def derive(job: Job) -> Result:
    """Do what `recipe` says in its order, write the output; the result's `bytes` are the process's id."""
    for word, value in job.recipe.items():
        _DEEDS[word](value)
    if job.output:
        Path(job.output).write_text("made")
    return Result("png" + "x" * int(job.recipe.get("babble", "0")), 1, 1, 1, os.getpid(), {"encode": 0.5})


def _wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.005)


def _note(path: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")


def _refuse(text: str) -> None:
    raise NotAnImage(text)


def _fail(text: str) -> None:
    raise KeyError(text)


def _segfault(_: str) -> None:
    ctypes.string_at(0)


def _spin(_: str) -> None:
    while True:
        pass


def _leave_half(path: str) -> None:
    Path(path).write_text("half")


def _keep(size: str) -> None:
    kept = bytearray(int(size))
    kept[::4096] = b"x" * len(range(0, len(kept), 4096))  # a page is held only once it is written
    _kept.append(kept)


_DEEDS: dict[str, Callable[[str], object]] = {
    "babble": int,
    "fail": _fail,
    "hang": lambda _: time.sleep(3600),
    "keep": _keep,
    "leave half": _leave_half,
    "note": _note,
    "other": str,
    "print": lambda text: os.write(1, text.encode() + b"\n"),
    "refuse": _refuse,
    "segfault": _segfault,
    "shout": lambda length: os.write(2, b"x" * int(length)),
    "spin": _spin,
    "wait": _wait_for,
}
