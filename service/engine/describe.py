"""`@meta.json`: the metadata of an original, as far as the configuration allows. Position, author and serial numbers
are in it only where the configured fields name them."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import compress
from operator import or_
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from service.engine import geometry
from service.engine.exif import Exif
from service.engine.formats import FORMATS
from service.engine.headers.source import OpenedFile
from service.engine.job import Job, Result
from service.engine.picture import Details, Picture
from service.engine.provenance import statement
from service.engine.provenance.statement import Provenance
from service.engine.provenance.texts import plain
from service.engine.srgb import is_srgb
from service.engine.thumbhash import thumbhash

Prepare = Callable[[Picture, Job], None]
SIDE = 32
"""The longer side, in pixels, of what the dominant colour and the placeholder are made from."""

_HIDDEN = 64
_CELLS = (
    *(bytes(sample >> 6 << shift for sample in range(256)) for shift in (4, 2, 0)),
    bytes([_HIDDEN] * 128 + [0] * 128),
)
"""What each sample of red, green, blue and alpha adds to the number of a pixel's cell, 0..63 for those that are
opaque."""

NEAR = 2
"""Pixels per pixel of that, at least, to which means bring the decoded frame before the steps see it."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """The original, and a small upright sRGB copy of its first frame."""

    job: Job
    details: Details
    small: Pillow.Image
    exif: Exif
    provenance: Provenance


def decoding(job: Job) -> Job:
    """Return the job whose `decode` gives the picture that `document` takes."""
    return replace(job, recipe={"w": str(SIDE), "h": str(SIDE)}, format="png", gamut="srgb")


def document(job: Job, picture: Picture, prepare: Prepare) -> Result:
    """Write the JSON object of `job.fields` to `job.output`; a field that the image does not have is null.

    `picture` is what `decode` gives for this job of `decoding`, and is changed. `prepare` brings it to the size of its
    recipe, upright and in sRGB.
    """
    details = replace(picture.details)
    _bring_near(picture)
    prepare(picture, job)
    said = statement.read(Path(job.source), job.header.format) if _PROVENANCE & set(job.fields) else Provenance()
    subject = _Subject(job, details, picture.frames[0].pillow(), Exif.of(job, details), said)
    text = json.dumps({name: _FIELDS[name](subject) for name in job.fields}, ensure_ascii=False)
    data = text.encode()
    Path(job.output).write_bytes(data)
    return Result("json", *_size(job), job.header.frames, len(data), silent=details.silent)


def _bring_near(picture: Picture) -> None:
    """Reduce the first frame by a whole number, which takes a third of the time of the steps on all of its pixels."""
    frame = picture.frames[0]
    factor = 1 if frame.deep else max(frame.size) // (NEAR * SIDE)
    if factor > 1:
        frame.put(frame.pillow().reduce(factor))
        picture.frames[1:] = []
        picture.region = geometry.Box(*(edge / factor for edge in picture.region.edges))
        picture.scale /= factor


def _size(job: Job) -> geometry.Size:
    return geometry.upright((job.header.width, job.header.height), job.header.orientation)


def _duration(subject: _Subject) -> int | None:
    """Milliseconds that one run of an animation takes, by its delays as they are written; None for a still image."""
    header = subject.job.header
    delays = FORMATS[header.format].delays
    if header.frames < 2 or delays is None:
        return None
    with OpenedFile(Path(subject.job.source)) as source:
        return sum(delays(source))


def _space(subject: _Subject) -> str:
    """`sRGB`, `gray` or `CMYK`; `RGB` where a profile, or the file by numbers, says that it is another."""
    icc, space = subject.details.icc, subject.details.space
    if space == "srgb" and (not subject.details.plain or (icc and not is_srgb(icc))):
        return "RGB"
    return {"srgb": "sRGB", "cmyk": "CMYK"}.get(space, space)


def _dominant(subject: _Subject) -> str | None:
    """The mean of the largest group of like colours, as #rrggbb; None where nothing is opaque.

    Colours are alike that fall into the same of 64 cells, four to each of red, green and blue.
    """
    data = subject.small.convert("RGBA").tobytes()
    planes = [data[channel::4] for channel in range(4)]
    parts = (int.from_bytes(plane.translate(table)) for plane, table in zip(planes, _CELLS, strict=True))
    cells = reduce(or_, parts).to_bytes(len(planes[0]))  # of all pixels at once, in a third of the time
    counts = {cell: count for cell, count in Counter(cells).items() if cell < _HIDDEN}
    if not counts:
        return None
    largest = max(counts, key=counts.__getitem__)
    members = [cell == largest for cell in cells]
    return "#" + bytes(round(sum(compress(plane, members)) / counts[largest]) for plane in planes[:3]).hex()


def _creators(subject: _Subject) -> list[str] | None:
    """Those of XMP or IPTC, or else EXIF's artist."""
    artist = plain(subject.exif.artist)
    return list(subject.provenance.creators) or ([artist] if artist else None)


def _c2pa(subject: _Subject) -> dict[str, str | None] | None:
    manifest = subject.provenance.manifest
    return {"claim_generator": manifest.claim_generator} if manifest else None


_PROVENANCE = {"digital_source_type", "credit", "creator", "c2pa"}

_FIELDS: dict[str, Callable[[_Subject], Any]] = {
    "format": lambda subject: subject.job.header.format,
    "width": lambda subject: _size(subject.job)[0],
    "height": lambda subject: _size(subject.job)[1],
    "frames": lambda subject: subject.job.header.frames,
    "duration": _duration,
    "bytes": lambda subject: Path(subject.job.original or subject.job.source).stat().st_size,
    "colour_space": _space,
    "depth": lambda subject: subject.details.depth,
    "alpha": lambda subject: subject.job.header.alpha,
    "orientation": lambda subject: subject.job.header.orientation,
    "taken": lambda subject: subject.exif.taken,
    "camera": lambda subject: subject.exif.camera,
    "dominant_colour": _dominant,
    "placeholder": lambda subject: base64.b64encode(thumbhash(subject.small)).decode(),
    "flaws": lambda subject: list(subject.job.flaws) or None,
    "digital_source_type": lambda subject: subject.provenance.source_type,
    "c2pa": _c2pa,
    "position": lambda subject: subject.exif.position,
    "author": lambda subject: subject.exif.author,
    "serial": lambda subject: subject.exif.serial,
    "credit": lambda subject: subject.provenance.credit,
    "creator": _creators,
}
"""By the names that the configuration knows."""
