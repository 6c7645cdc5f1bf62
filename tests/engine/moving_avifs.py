"""Moving AVIFs whose copies are tested, and what is asked of a copy."""

from __future__ import annotations

import struct
from pathlib import Path

from service.engine.headers import movie
from service.engine.headers.source import OpenedFile
from tests import images
from tests.engine.deriving import Made, derive
from tests.engine.movies import Box
from tests.engine.sequences import FOREIGN

DELAYS = [100, 50, 200, 70]
TABLE = "moov/trak/mdia/minf/stbl"
ENTRY = f"{TABLE}/stsd/av01"


def moving(*, alpha: bool = False, **options: object) -> bytes:
    frames = images.moving(64, 48, len(DELAYS), alpha=alpha)
    return images.animation(frames, "AVIF", duration=DELAYS, speed=9, **options)


PLAIN = moving()
CLEAR = moving(alpha=True)
ORIGINALS = {"libavif": PLAIN, "libavif, with transparency": CLEAR, **FOREIGN}


def copied(data: bytes, recipe: str = "", **job: object) -> Made:
    made = derive(data, recipe, "avif", **job)
    assert made.result.anew == ""
    return made


def story(data: bytes, folder: Path) -> movie.Movie | None:
    """Size, delays, transparency and runs, as `@meta.json` tells them."""
    (folder / "moving").write_bytes(data)
    with OpenedFile(folder / "moving") as file:
        return movie.movie(file)


def cut(whole: Box) -> None:
    """Have the track show the middle of its pictures, 32x24 pixels."""
    whole.find(ENTRY).parts.append(Box(b"clap", struct.pack(">8i", 32, 1, 24, 1, 0, 1, 0, 1)))
