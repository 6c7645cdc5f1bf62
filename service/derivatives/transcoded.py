"""What JPEG XL saves of the JPEGs of a store: measured on those that this node has brought over without loss."""

from __future__ import annotations

from dataclasses import dataclass

SAVES = 0.18
"""Of the bytes of a camera's JPEG, what its coding as JPEG XL saves: docs/engine.md."""

LEAST = 20
"""Images that are measured before they count."""


@dataclass(slots=True)
class Transcoded:
    """JPEGs that became JPEG XL without loss since the start: how many, their bytes, and those of the results."""

    images: int = 0
    before: int = 0
    after: int = 0

    def note(self, before: int, after: int) -> None:
        self.images += 1
        self.before += before
        self.after += after

    @property
    def is_measured(self) -> bool:
        """Whether there are enough images to tell `share` by."""
        return self.images >= LEAST

    @property
    def share(self) -> float:
        """The part of their bytes that JPEGs save as JPEG XL; below 0 where they grow. SAVES where not measured."""
        return 1 - self.after / self.before if self.is_measured else SAVES
