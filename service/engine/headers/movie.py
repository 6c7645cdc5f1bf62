"""The sequence of an AVIF: how many pictures it has, how long each is shown, and how often it runs.

ISO/IEC 14496-12, 8; AV1 Image File Format, 4. What of a still picture and a sequence is shown is decided as by libavif.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from service.engine.headers import av1, av1_items, tracks
from service.engine.headers.heif_items import Box
from service.engine.headers.source import Source
from service.engine.headers.tracks import Track
from service.engine.job import Undecodable

CODEC = b"av01"
_STILL = b"avif"  # a major brand
_MOST_SPANS = 100_000  # runs of pictures that are shown equally long
_ENOUGH = 4096  # bytes of the first picture in which its sequence headers are looked for


@dataclass(frozen=True, slots=True)
class Movie:
    """`size` in pixels, `delays` in milliseconds, one for each picture; `plays` is how often it runs, 0 for ever."""

    size: tuple[int, int]
    delays: list[int]
    alpha: bool
    plays: int


def movie(source: Source) -> Movie | None:
    """Return the sequence that the file shows; None where it shows a still picture, or is no AVIF.

    There are at most as many delays as one more than the frames that a parser has to count. Raises Undecodable.
    """
    major = source.part(8, 4).head(4)
    if major == _STILL:
        return None
    found = [track for track in tracks.tracks(source) if track.codec == CODEC]
    if not found or found[0].auxiliary_of:
        return None
    shown = found[0]
    size = _size(source, shown)
    for track in found:
        _check(source, track, size)
    return Movie(size, _delays(source, shown), len(found) > 1, _plays(source, shown))


def delays(source: Source) -> list[int]:
    """The delay of each picture in milliseconds; none for a still image."""
    found = movie(source)
    return found.delays if found else []


def plays(source: Source) -> int:
    found = movie(source)
    return found.plays if found else 0


def _size(source: Source, track: Track) -> tuple[int, int]:
    """Width and height of `tkhd`, to which libavif scales what is of another size (14496-12, 8.3.2)."""
    head = tracks.child(source, track.box, b"tkhd")
    if head is None:
        raise Undecodable("The AVIF is damaged: its track does not say how large it is")
    at = head.start + (88 if source.number(head.start, 1) == 1 else 76)
    return source.number(at, 4) >> 16, source.number(at + 4, 4) >> 16


def _check(source: Source, track: Track, size: tuple[int, int]) -> None:
    """Raise Undecodable where the first picture is larger than is said."""
    start, length = track.sample
    width, height = av1.size(source.part(start, length).head(_ENOUGH))
    if any(coded > said + av1_items.PADDING for coded, said in zip((width, height), size, strict=True)):
        raise Undecodable(f"The AVIF is damaged: it holds {width}x{height} pixels, and says {size[0]}x{size[1]}")


def _delays(source: Source, track: Track) -> list[int]:
    """`stts`: how many pictures are shown how long each; `stsz` says how many there are (8.6.1.2, 8.7.3).

    What the last entry says holds for all that are left, whatever their number is in it.
    """
    sizes, spans = tracks.child(source, track.table, b"stsz"), tracks.child(source, track.table, b"stts")
    clock = tracks.child(source, track.media, b"mdhd")
    if sizes is None or spans is None or clock is None:
        raise Undecodable("The AVIF is damaged: its track does not say when its pictures are shown")
    count = min(source.number(sizes.start + 8, 4), source.most_frames + 1)
    scale = source.number(clock.start + (20 if source.number(clock.start, 1) == 1 else 12), 4) or 1
    found, shown = list[int](), 0
    for at in islice(range(spans.start + 8, spans.end - 7, 8), min(source.number(spans.start + 4, 4), _MOST_SPANS)):
        shown = round(1000 * source.number(at + 4, 4) / scale)
        found += [shown] * min(source.number(at, 4), count - len(found))
        if len(found) >= count:
            break
    return found + [shown] * (count - len(found))


def _plays(source: Source, track: Track) -> int:
    """An edit list may say that the track is repeated until its duration ends (8.6.6; AV1 Image File Format, 3)."""
    edits = tracks.inside(source, track.box, b"edts", b"elst")
    head = tracks.child(source, track.box, b"tkhd")
    if edits is None or head is None:
        return 0
    if not source.number(edits.start + 3, 1) & 1:
        return 1
    whole, end = _duration(source, head, 20, 28)
    once, _ = _duration(source, edits, 8, 8)
    return 0 if whole == end or not once else max(1, -(-whole // once))


def _duration(source: Source, box: Box, near: int, far: int) -> tuple[int, int]:
    """A duration that stands at `near` in version 0, at `far` in version 1, and what would be none."""
    wide = source.number(box.start, 1) == 1
    count = 8 if wide else 4
    return source.number(box.start + (far if wide else near), count), (1 << 8 * count) - 1
