"""One line of `image-gateway check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found at `where`, and what to do about it; `wrong` means that a start would fail or mislead."""

    where: str
    text: str
    wrong: bool = True

    def __str__(self) -> str:
        return f"{'wrong' if self.wrong else 'note '} {self.where}: {self.text}"
