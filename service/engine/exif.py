"""Read the fields of EXIF that the metadata document shows (Exif 2.32, 4.6)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from service.engine.formats import functions
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Job, Undecodable
from service.engine.picture import Details

COPYRIGHT = 0x8298
_MAKE, _MODEL, _DATE_TIME, _ARTIST = 0x010F, 0x0110, 0x0132, 0x013B
_PHOTO, _TAKEN, _OFFSET, _OWNER, _SERIAL = 0x8769, 0x9003, 0x9011, 0xA430, 0xA431
_GPS = 0x8825
_UNREADABLE = (SyntaxError, ValueError, OSError, KeyError, TypeError, ZeroDivisionError, IndexError, Undecodable)
_CARRIERS: dict[str, Callable[[Source], bytes]] = functions(lambda row: row.exif)
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Exif:
    """The fields that could be read; None where one is missing or makes no sense.

    `taken` is ISO 8601, with an offset where the camera knew it. `position` is degrees north and east.
    """

    taken: str | None = None
    camera: str | None = None
    author: str | None = None
    artist: str | None = None
    serial: str | None = None
    copyright: str | None = None
    position: dict[str, float] | None = None

    @classmethod
    def of(cls, job: Job, details: Details) -> Exif:
        """Return the fields of an original. Never raises: a damaged block gives none."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of damaged blocks
            try:
                if job.header.format == "tif":  # EXIF is part of a TIFF's own tags
                    with Pillow.open(job.source, formats=("TIFF",)) as file:
                        return cls._read(file.getexif())
                block = Pillow.Exif()
                block.load(details.exif or _apart(job))
                return cls._read(block)
            except _UNREADABLE:
                return cls()

    @classmethod
    def _read(cls, block: Pillow.Exif) -> Exif:
        photo = block.get_ifd(_PHOTO)
        return cls(
            taken=_moment(_text(photo.get(_TAKEN)) or _text(block.get(_DATE_TIME)), _text(photo.get(_OFFSET))),
            camera=_camera(_text(block.get(_MAKE)), _text(block.get(_MODEL))),
            artist=_text(block.get(_ARTIST)),
            author=_text(block.get(_ARTIST)) or _text(photo.get(_OWNER)),
            serial=_text(photo.get(_SERIAL)),
            copyright=_text(block.get(COPYRIGHT)),
            position=_position(block),
        )


def _apart(job: Job) -> bytes:
    """The EXIF that decoders do not hand over."""
    carrier = _CARRIERS.get(job.header.format)
    if carrier is None:
        return b""
    with OpenedFile(Path(job.source)) as source:
        return carrier(source.bound())


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return (value.strip("\0 ") or None) if isinstance(value, str) else None


def _moment(date: str | None, offset: str | None) -> str | None:
    found = _DATE.match(date or "")
    if not found or found[1] == "0000":
        return None
    zone = offset if offset and re.fullmatch(r"[+-]\d\d:\d\d", offset) else ""
    return f"{found[1]}-{found[2]}-{found[3]}T{found[4]}{zone}"


def _camera(make: str | None, model: str | None) -> str | None:
    """Make and model. The make is left out where the model begins with it."""
    if make and model and not model.lower().startswith(make.split()[0].lower()):
        return f"{make} {model}"
    return model or make


def _position(block: Pillow.Exif) -> dict[str, float] | None:
    try:
        gps = block.get_ifd(_GPS)
        north, east = _degrees(gps[2]), _degrees(gps[4])
        south_west = gps.get(1) == "S", gps.get(3) == "W"
    except _UNREADABLE:
        return None
    return {"latitude": -north if south_west[0] else north, "longitude": -east if south_west[1] else east}


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return round(degrees + minutes / 60 + seconds / 3600, 6)
