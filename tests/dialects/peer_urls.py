"""URLs of the kind people write for thumbor, and how far apart the two servers' pictures may lie."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A URL of thumbor without `unsafe` and image. `apart` is the greatest mean difference of samples, 0..255; None
    where only the size is compared."""

    options: str
    apart: float | None = 2.5


URLS = (
    Asked("300x200"),
    Asked("300x0"),
    Asked("0x200"),
    Asked("200x200"),
    Asked("fit-in/300x200"),
    Asked("fit-in/200x300"),
    Asked("fit-in/2000x2000"),
    Asked("full-fit-in/300x200"),
    Asked("adaptive-fit-in/200x300"),
    Asked("adaptive-full-fit-in/200x300"),
    Asked("-300x200"),
    Asked("300x-200"),
    Asked("-300x-200"),
    Asked("150x300/left"),
    Asked("150x300/right"),
    Asked("300x100/top"),
    Asked("300x100/bottom"),
    Asked("300x100/smart", None),
    Asked("100x50:500x450/200x200"),
    Asked("100x50:500x450"),
    Asked("1200x900"),
    Asked("origx200"),
    Asked("1200x0/filters:no_upscale()"),
    Asked("1200x300/filters:no_upscale()"),
    Asked("300x300/filters:stretch()"),
    Asked("fit-in/300x300/filters:fill(ff8800)"),
    Asked("fit-in/1000x1000/filters:upscale()"),
    Asked("300x200/filters:grayscale()", 5.0),
    Asked("300x200/filters:rotate(90)"),
    Asked("-300x200/filters:rotate(90)"),
    Asked("300x200/filters:brightness(20)"),
    Asked("300x200/filters:contrast(20)"),
    Asked("300x200/filters:blur(3)"),
    Asked("300x200/filters:blur(6,2)"),
    Asked("200x200/filters:focal(0x300:200x500)"),
    Asked("trim:20/200x0"),
)
