"""What a run has found: the input of each failure lies in a folder, with a text that says what was wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 30.0  # seconds between two lines of progress
MOST = 50  # findings after which a part ends: what follows is mostly the same


class TooMany(Exception):
    """So much was found that the run ends."""


@dataclass
class Findings:
    """The failures of one part; `seed` and the number of the case are in every line, so that it can be run again."""

    part: str
    folder: Path
    seed: int
    count: int = 0
    _said: float = field(default_factory=time.monotonic)

    def add(self, case: int, what: str, data: bytes = b"", kind: str = "txt") -> None:
        """Note a failure, and write the input to the folder. Raises TooMany after MOST of them."""
        self.count += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self.part}-{self.seed}-{case}"
        (self.folder / f"{stem}.{kind}").write_bytes(data)
        (self.folder / f"{stem}.what").write_text(what + "\n", "utf-8")
        self._print(case, f"FOUND {what.splitlines()[-1][:160]}; the input is {self.folder / stem}.{kind}")
        if self.count >= MOST:
            raise TooMany(f"{self.part}: {self.count} findings, so the run ends at case {case}")

    def progress(self, case: int, text: str = "") -> None:
        """Print where the run is, every half a minute."""
        if time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            self._print(case, text)

    def _print(self, case: int, text: str) -> None:
        print(f"soak     {self.part:8} seed {self.seed}, case {case}  {text}", flush=True)
