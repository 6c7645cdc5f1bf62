"""What a picture of these tests is: a file, and what it must show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Pixel = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A file by `name`, made by `make`. `pixel` is what its middle shows, as RGB or RGBA in sRGB, within `tolerance` a
    channel; None where the file is refused, and `refusal` is in the reason. `meta` are fields of @meta.json."""

    name: str
    make: Callable[[], bytes]
    pixel: Pixel | None = None
    meta: Mapping[str, object] = field(default_factory=dict)
    tolerance: int = 3
    refusal: str = ""
    size: tuple[int, int] | None = None
