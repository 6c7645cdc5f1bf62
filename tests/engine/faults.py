"""Entry points of an engine process that misbehaves on request: the recipe says how."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import TextIO

from service.engine.job import Job, NotAnImage, Result

NOTES = "notes"

_kept: list[bytearray] = []
_notes: TextIO | None = None


def capabilities() -> dict[str, tuple[bool, bool]]:
    """Called before the sandbox is closed: what is opened here, stays open."""
    global _notes
    _notes = (Path(os.environ["MAGICK_CONFIGURE_PATH"]) / NOTES).open("a")
    return {"png": (True, True)}


def derive(job: Job) -> Result:
    """Do what `recipe` says in its order, write the output; the result's `bytes` are the process's id."""
    for word, value in job.recipe.items():
        if word == "leave half":
            Path(job.output).write_text("half")
        else:
            _DEEDS[word](value)
    if job.output:
        Path(job.output).write_text("made")
    return Result("png" + "x" * int(job.recipe.get("babble", "0")), 1, 1, 1, os.getpid(), {"encode": 0.5})


def _wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.005)


def _note(text: str) -> None:
    """Write a line into the file NOTES of the folder of ImageMagick's policy."""
    assert _notes is not None
    print(text, file=_notes, flush=True)


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


_DEEDS = {
    "babble": int,
    "fail": _fail,
    "hang": lambda _: time.sleep(3600),
    "keep": _keep,
    "note": _note,
    "other": str,
    "print": lambda text: os.write(1, text.encode() + b"\n"),
    "refuse": _refuse,
    "segfault": _segfault,
    "shout": lambda length: os.write(2, b"x" * int(length)),
    "spin": _spin,
    "wait": _wait_for,
}
