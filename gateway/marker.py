"""Parse and print the two small files beside the derived images of an original. Twin of marker.lua.

`@base`, the marker:   BASE SOURCE ETAG WIDTH HEIGHT FRAMES
                       MODIFIED [ENDS]
`@smaller`, the notes: CHOSEN=SMALLER CHOSEN=SMALLER ...

The service writes both files; nginx reads them to resolve `auto` and `source` without the service. Each line ends with
a line feed, and a marker that deviates from this by one byte is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.holding import Shape

LAYOUT = 3  # goes up with every change to what is in a marker: those of before are then made anew, with all beside them

_MARKER = re.compile(
    r"([a-z0-9]+) ([a-z0-9]+) ([!-~]+) ([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,15})\n"
    r"(-?[0-9]{1,15})(?: ([0-9]{1,15}))?\n"
)  # no number has more digits than a Lua number holds exactly
_WORD = re.compile(r"[^ \n]+")
_NOTE = re.compile(r"([a-z0-9]+)=([a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Marker:
    """Facts of the original that all files in its folder were made of.

    `base` is the format of `auto`'s last bucket, `source` the format of `source`. `modified` is the second since the
    epoch when the original was stored; the validators of derived images are made from it. `ends` is the second since
    the epoch when the store deletes the original, None where it has no end.
    """

    base: str
    source: str
    etag: str
    modified: int
    shape: Shape
    ends: int | None = None

    def is_of(self, etag: str, modified: float) -> bool:
        """Return True if this is the original with that ETag and that time of storage."""
        return (self.etag, self.modified) == (etag, int(modified))


def print_marker(marker: Marker) -> str:
    """Return the text of the marker file."""
    shape = f"{marker.shape.width} {marker.shape.height} {marker.shape.frames}"
    ends = "" if marker.ends is None else f" {marker.ends}"
    return f"{marker.base} {marker.source} {marker.etag} {shape}\n{marker.modified}{ends}\n"


def parse_marker(text: str) -> Marker | None:
    """Return what a marker file says, None if it is damaged or has another layout."""
    found = _MARKER.fullmatch(text)
    if found is None:
        return None
    base, source, etag, width, height, frames, modified, ends = found.groups()
    shape = Shape(int(width), int(height), int(frames))
    return Marker(base, source, etag, int(modified), shape, None if ends is None else int(ends))


def print_smaller(noted: Mapping[str, str]) -> str:
    """Return the text of the notes: by format that `auto` chose for the whole image, the one that gives fewer bytes."""
    return " ".join(f"{chosen}={smaller}" for chosen, smaller in noted.items()) + "\n"


def parse_smaller(text: str) -> dict[str, str]:
    """Return the notes by chosen format. Words that are no notes are passed over."""
    found = (_NOTE.fullmatch(word) for word in _WORD.findall(text))
    return {note[1]: note[2] for note in found if note}
