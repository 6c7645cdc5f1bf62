"""Refuse originals by their headers, before a decoder sees a byte."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from service.engine.job import Header, Limits, NotAnImage, TooLarge
from service.engine.recognise import recognise


def take(path: Path, accept: Collection[str], limits: Limits) -> Header:
    """The header of a file that is taken. Raises as `recognise` and `admit` do, and says what is accepted."""
    try:
        header = recognise(path, frames=limits.frames)
    except NotAnImage as error:
        raise NotAnImage(f"{error}; accepted are {', '.join(accept)}") from error
    admit(header, accept, limits)
    return header


def admit(header: Header, accept: Collection[str], limits: Limits) -> None:
    """Raise NotAnImage for a format that is not accepted, TooLarge for more pixels or frames than allowed."""
    if header.format not in accept:
        raise NotAnImage(f"{header.format} is not accepted here; accepted are {', '.join(accept)}")
    if header.frames > limits.frames:
        raise TooLarge(f"the image has more than {limits.frames} frames: no more are allowed")
    pixels = header.width * header.height * header.frames
    if pixels > limits.pixels:
        raise TooLarge(f"the image has {pixels} pixels over all frames: at most {limits.pixels} are allowed")
