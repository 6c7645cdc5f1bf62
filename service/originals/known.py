"""The record of what this node knows of one version of an original."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from service.engine.job import EngineError, Header
from service.originals.header import read_header
from service.store.base import StoredObject


@dataclass(slots=True)
class Known:
    """What the store held when it was `checked` (monotonic seconds); `header` is None until the file was read."""

    stored: StoredObject
    checked: float
    header: Header | EngineError | None = None


def version(stored: StoredObject) -> tuple[str, int]:
    """What is equal for the same content, stored by the same change."""
    return stored.etag, int(stored.modified)


def is_over(stored: StoredObject) -> bool:
    """Whether the store has deleted it by now, since its time had come."""
    return stored.ends is not None and stored.ends <= time.time()


def shorten(known: OrderedDict[str, Known] | OrderedDict[str, float], most: int) -> None:
    """Drop the oldest entry beyond `most`."""
    if len(known) > most:
        known.popitem(last=False)


def afresh(error: EngineError) -> EngineError:
    """The same error without what has passed it on: each time it is raised, that grows, and holds requests."""
    return type(error)(str(error))


async def header_of(known: Known | None, stored: StoredObject, path: Path, *, at_once: bool) -> Header:
    """The header of the original in a copy, remembered with what is known of it. Raises NotAnImage, Undecodable."""
    if known is None or known.stored.etag != stored.etag:
        return await read_header(path, at_once=at_once)
    if known.header is None:
        try:
            known.header = await read_header(path, at_once=at_once)
        except EngineError as error:
            known.header = afresh(error)
    if isinstance(known.header, EngineError):
        raise afresh(known.header)
    return known.header
