"""Pictures that tell which they are: each of one colour and one size that no other has, so that any mix-up shows."""

from __future__ import annotations

import colorsys
import hashlib
import threading
from dataclasses import dataclass, field

import httpx
import numpy as np

from tests import images

COUNT = 18
KINDS = ("png", "jpg")
EDGE = 200  # pixels of the width; each picture is of another height
NEAR = 12  # of 255, in each channel: more than JPEG takes, and less than half of what lies between two colours


@dataclass(frozen=True)
class Picture:
    """Picture `number` in its first version, or in a later one: then it has a colour that was not there before."""

    number: int
    version: int = 0

    @property
    def name(self) -> str:
        return f"photos/{self.number}.png"

    @property
    def colour(self) -> tuple[int, ...]:
        value = 1 - 0.45 * self.version
        return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(self.number / COUNT, 1, value))

    @property
    def height(self) -> int:
        return 100 + 10 * self.number

    @property
    def file(self) -> bytes:
        return images.png(images.flat(EDGE, self.height, self.colour))


@dataclass(frozen=True)
class Wanted:
    """A derived image by its name, and the size that it has."""

    number: int
    recipe: str
    width: int
    height: int

    @property
    def path(self) -> str:
        return f"/images/{Picture(self.number).name}/{self.recipe}"


def scaled(number: int, kind: str) -> Wanted:
    """Half as wide and half as high."""
    return Wanted(number, f"@w={EDGE // 2}.{kind}", EDGE // 2, Picture(number).height // 2)


def cropped(number: int, turn: int) -> Wanted:
    """Another derived image for each `turn` up to 9 000."""
    width, height = 10 + turn % 100, 10 + turn // 100 % 90
    return Wanted(number, f"@crop=0:0:{width}:{height}.png", width, height)


@dataclass
class Truth:
    """What is known to be right: the versions in which a picture may be shown now, and, once a name was seen in a
    version, the bytes and the ETag that it always has then. Safe between threads.
    """

    current: dict[int, frozenset[int]] = field(default_factory=lambda: dict.fromkeys(range(COUNT), frozenset({0})))
    _bytes: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def flaw(self, wanted: Wanted, answer: httpx.Response, versions: frozenset[int]) -> str | None:
        """What is wrong with an answer of status 200, if one of these versions is right."""
        seen = answer.headers.get("ETag", ""), hashlib.sha256(answer.content).hexdigest()
        with self._lock:
            if any(self._bytes.get((wanted.path, version)) == seen for version in versions):
                return None
            try:
                pixels = images.pixels(answer.content).astype(int)
            except (OSError, SyntaxError, ValueError) as error:  # as Pillow tells of what is no image, or half of one
                return f"{wanted.path} cannot be decoded: {error}"
            if pixels.shape != (wanted.height, wanted.width, 3):
                return f"{wanted.path} is of the shape {pixels.shape}"
            for version in versions:
                if (np.abs(pixels - Picture(wanted.number, version).colour) <= NEAR).all():
                    before = self._bytes.setdefault((wanted.path, version), seen)
                    return None if before == seen else f"{wanted.path} was other bytes before: {before}, now {seen}"
            return f"{wanted.path} has the colour {pixels[0, 0]}, which is none of versions {set(versions)}"
