"""The options of the engine, and what one request may cost."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gateway.section import Section
from gateway.units import Count, Seconds, Size


def _processes(value: Any) -> Any:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 256):
        return value
    raise ValueError("must be auto, or a whole number from 1 to 256")


Processes = Annotated[Literal["auto"] | int, BeforeValidator(_processes)]


class Engine(Section):
    """The processes in which images are decoded and made."""

    processes: Processes = Field("auto", description="auto: one for each core")
    library: Literal["auto", "imagemagick"] = Field(
        "auto",
        description="auto: the fastest library for each step at equal quality; imagemagick: ImageMagick if it can",
    )
    memory: Size = Field(2**30, description="address space that one may use for an image", ge=128 * 2**20)
    recycle: int = Field(500, description="jobs after which a process is replaced", ge=1)


class LimitOptions(Section):
    """What one request may cost."""

    upload: Size = Field(100 * 2**20, description="bytes of an original", ge=1)
    pixels: Count = Field(100 * 10**6, description="of an original, all frames together", ge=1)
    frames: int = Field(500, description="of an animation", ge=1, le=100000)
    width: int = Field(4096, description="of a derived image", ge=1, le=65535)
    height: int = Field(4096, description="of a derived image", ge=1, le=65535)
    time: Seconds = Field(30.0, description="for one image", gt=0)
    queue: int = Field(128, description="images that may wait for an engine process, in each of its lanes", ge=1)
    rate: float = Field(
        0.0,
        description="misses per second of one client address, the rest is answered 429; 0: no limit",
        ge=0,
        le=100000,
    )
    archive_files: int = Field(1000, description="images in one archive", ge=1, le=100000)
    archive_bytes: Size = Field(2**30, description="bytes of one archive", ge=1)
    store_bytes: Size = Field(0, description="bytes of all originals together; 0: no limit")
    store_images: Count = Field(0, description="originals in the store; 0: no limit")
