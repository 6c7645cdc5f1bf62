"""Smooth what is nearly transparent, behind all steps that could show its colours."""

from __future__ import annotations

from service.engine.faint import smoothed
from service.engine.job import Job
from service.engine.picture import Picture


def smooth(picture: Picture, job: Job) -> None:
    """Take the noise out of colours that were scaled or turned with alpha multiplied in."""
    if picture.is_divided:
        picture.each_pillow(lambda pixels: smoothed(pixels, job))
