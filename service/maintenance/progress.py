"""How far the walk through the derived container is: saved, so that the next service goes on there."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(slots=True)
class Progress:
    """One walk of a `share` (I/N), and what is known of the one before it. Times are in seconds since the epoch, by the
    store's clock; 0 is never. `expected` is how many objects there are about; 0: not known."""

    share: str
    place: str = ""  # the last name that was looked at
    began: float = 0.0
    walked: int = 0  # objects
    removed: int = 0  # of these
    expected: int = 0
    checked: float = 0.0  # when the walk before this began: it has asked for what was stored until then
    finished: float = 0.0  # when the walk before this ended
    met_bytes: int = 0  # of the originals that the listings told of
    met_jpeg_bytes: int = 0  # of these, what is JPEG by its content type
    jpeg_part: float = 0.0  # of the bytes of originals, 0 to 1, as far as the walk before this has met them

    @property
    def part(self) -> float | None:
        """How much of the walk is done, 0 to 1; None where that is not known."""
        return min(self.walked / self.expected, 1.0) if self.expected else None

    def save(self, file: Path) -> None:
        """Write it in place of what was saved before. A disk that takes no file costs a restart its place."""
        with contextlib.suppress(OSError):
            temporary = file.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(self)), "utf-8")
            temporary.replace(file)


def saved_progress(file: Path, share: str) -> Progress:
    """What was saved of a walk of this share; else a walk that begins."""
    fresh = Progress(share)
    try:
        document = json.loads(file.read_text("utf-8"))
        kinds = {field.name: type(getattr(fresh, field.name)) for field in fields(fresh)}
        found = Progress(**{name: kind(document[name]) for name, kind in kinds.items()})
    except (OSError, ValueError, KeyError, TypeError):
        return fresh
    return found if found.share == share else fresh
