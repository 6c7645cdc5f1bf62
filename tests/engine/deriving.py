"""Run the engine's entry points on bytes, in this process, and look at what they wrote with other eyes."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.engine import pipeline, readers, recent
from service.engine.job import Job, Limits, Result
from service.engine.recognise import recognise

LIMITS = Limits(pixels=20_000_000, frames=100, width=4096, height=4096)


@dataclass(frozen=True)
class Made:
    result: Result
    data: bytes

    def pillow(self) -> Image.Image:
        return Image.open(io.BytesIO(self.data))

    def pixels(self, mode: str = "RGB") -> NDArray[np.int64]:
        return np.asarray(self.pillow().convert(mode)).astype(int)


def derive(data: bytes | Path, recipe: str = "", kind: str = "png", **job: Any) -> Made:
    """`data` is an original or where it lies; `recipe` is written as in names: `w=30,h=20,fit=cover`."""
    return _run("derive", data, recipe, kind, **job)


BURST = ("w=1000", "w=140", "w=500", "w=280", "w=1100", "w=260", "w=550")
"""Of 1200 pixels: decoded whole, at 1/4 and at 1/2, in a mixed order."""


def apart(path: Path, recipes: Sequence[str], kind: str) -> list[bytes]:
    """Each result made without what was decoded for the ones before."""
    made = []
    for recipe in recipes:
        recent._held.clear()
        made.append(derive(path, recipe, kind).data)
    recent._held.clear()
    return made


def describe(data: bytes | Path, *fields: str) -> Made:
    return _run("describe", data, "", "json", fields=fields)


def verify(data: bytes, **job: Any) -> Result:
    return _run("verify", data, "", "", **job).result


def counted_decodes(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """A list that every job which decodes from now on is added to; nothing decoded before is at hand."""
    decodes: list[Job] = []
    reader = readers.reader

    def counted(job: Job) -> readers.Reader:
        decodes.append(job)
        return reader(job)

    monkeypatch.setattr(readers, "reader", counted)
    recent._held.clear()
    return decodes


def _run(task: Any, data: bytes | Path, recipe: str, kind: str, **job: Any) -> Made:
    parts = dict(part.split("=") for part in recipe.split(",") if part)
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "original [0] 100%.x", Path(folder) / "derived"
        if isinstance(data, Path):
            source = data
        else:
            source.write_bytes(data)
        order = Job(
            task,
            str(source),
            job.pop("header", None) or recognise(source),
            job.pop("limits", LIMITS),
            parts,
            kind,
            str(output),
            **job,
        )
        result = getattr(pipeline, task)(order)
        return Made(result, output.read_bytes() if output.exists() else b"")


def ssim(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Structural similarity (Wang et al. 2004) of two arrays of one shape: 7x7 windows, the mean over all channels."""
    a, b = a.astype(float), b.astype(float)
    ma, mb = _mean(a), _mean(b)
    va, vb, cov = _mean(a * a) - ma * ma, _mean(b * b) - mb * mb, _mean(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))))


def _mean(a: NDArray[Any], size: int = 7) -> NDArray[Any]:
    for axis in (0, 1):
        a = np.lib.stride_tricks.sliding_window_view(a, size, axis).mean(-1)
    return a
