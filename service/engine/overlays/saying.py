"""What the overlays of a job say of its original: the fields of a text, and whether a model made the picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.engine.exif import Exif
from service.engine.job import Job
from service.engine.notice import copyright_text
from service.engine.picture import Details
from service.engine.provenance import statement
from service.engine.provenance.source_types import IPTC
from service.engine.provenance.statement import Provenance
from service.engine.provenance.texts import plain

BY_A_MODEL = frozenset(f"{IPTC}{term}" for term in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"))
"""Source types of pictures that a model has made, as a whole or in part."""

_FIELD = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class _Said:
    job: Job
    details: Details
    exif: Exif
    provenance: Provenance


def is_by_a_model(job: Job) -> bool:
    """Return True if the metadata name a source type of BY_A_MODEL."""
    return _provenance(job).source_type in BY_A_MODEL


def filled_in(text: str, job: Job, details: Details) -> str:
    """The text with what the original says in its fields, as one plain line; empty where it says none of them.

    What comes from the original is text alone: nothing in it is a field, a mark of direction or a control character.
    """
    named = _FIELD.findall(text)
    if not named:
        return text
    said = _Said(job, details, Exif.of(job, details), _provenance(job))
    found = {name: plain(_FIELDS[name](said)) for name in set(named)}
    if not any(found.values()):
        return ""
    return " ".join(_FIELD.sub(lambda field: found[field[1]] or "", text).split())


def _provenance(job: Job) -> Provenance:
    return statement.read(Path(job.source), job.header.format)


def _creator(said: _Said) -> str | None:
    return ", ".join(said.provenance.creators) or said.exif.artist


_FIELDS: dict[str, Callable[[_Said], str | None]] = {
    "copyright": lambda said: copyright_text(said.job, said.details),
    "credit": lambda said: said.provenance.credit,
    "creator": _creator,
    "author": lambda said: said.exif.author,
    "camera": lambda said: said.exif.camera,
    "taken": lambda said: said.exif.taken,
}
