"""What is done to the coded picture of an AVIF or HEIC before it is shown (ISO/IEC 23008-12, 6.5)."""

from __future__ import annotations

from dataclasses import dataclass

from service.engine.headers.clap import Edges


@dataclass(frozen=True, slots=True)
class Change:
    """One of: the edges of what is shown (`clap`), quarters of a turn anticlockwise (`irot`), and what a mirror
    exchanges, 0 for top and bottom, 1 for left and right (`imir`)."""

    cut: Edges | None = None
    turn: int = 0
    mirror: int | None = None

    def size(self, width: int, height: int) -> tuple[int, int]:
        if self.cut:
            return self.cut[2] - self.cut[0], self.cut[3] - self.cut[1]
        return (height, width) if self.turn & 1 else (width, height)
