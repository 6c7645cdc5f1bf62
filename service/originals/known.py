"""The record of what this node knows of one version of an original."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from service.engine.job import EngineError, Header
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
