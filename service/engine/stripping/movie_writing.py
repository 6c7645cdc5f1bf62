"""The boxes `moov` of a sequence, written from what decoding needs (ISO/IEC 14496-12, 8): no times of day, no names, no
language."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.engine.stripping.heif_writing import Property, box
from service.engine.stripping.sample_tables import Samples

FOREVER = -1
_MATRIX = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)  # nothing is turned
_UNDETERMINED = 0x55C4  # the language `und`
_DENSITY = 72 << 16  # pixels an inch, as 12.1.3 has it


@dataclass(frozen=True, slots=True)
class Picture:
    """A track of a copy: its handler and flags, the width and height of it and of its pictures, properties of these,
    `references` to other tracks as (kind, number), its samples, and the lengths of these in the copy. `repeats` is what
    the edit list says, None where there is none."""

    handler: bytes
    flags: int
    size: tuple[int, int]
    coded: tuple[int, int]
    properties: Sequence[Property]
    references: Sequence[tuple[bytes, int]]
    samples: Samples
    lengths: Sequence[int]
    repeats: bool | None


def movie(pictures: Sequence[Picture], places: Sequence[int], duration: int, *, wide: bool) -> bytes:
    """The box of tracks numbered from 1, whose samples begin at `places`, one behind another.

    `duration` is that of all runs, in the time scale of the first track, or FOREVER; `wide` gives times eight bytes.
    """
    scale = pictures[0].samples.scale
    head = _times(wide, scale, duration) + struct.pack(">IH10x", 1 << 16, 1 << 8) + _MATRIX + bytes(24)
    made = (_track(*one, duration, wide=wide) for one in zip(range(1, len(places) + 1), pictures, places, strict=True))
    return box(b"moov", _full(b"mvhd", head + (len(pictures) + 1).to_bytes(4), version=wide) + b"".join(made))


def _track(number: int, picture: Picture, place: int, duration: int, *, wide: bool) -> bytes:
    count = 8 if wide else 4
    head = bytes(2 * count) + struct.pack(">I4x", number) + duration.to_bytes(count, signed=duration < 0)
    head += bytes(16) + _MATRIX + struct.pack(">II", *(side << 16 for side in picture.size))
    references = b"".join(box(kind, to.to_bytes(4)) for kind, to in picture.references)
    once = picture.samples.duration
    edits = once.to_bytes(count) + bytes(count) + (1 << 16).to_bytes(4)
    media = (
        _full(b"mdhd", _times(wide, picture.samples.scale, once) + struct.pack(">H2x", _UNDETERMINED), version=wide),
        _full(b"hdlr", bytes(4) + picture.handler + bytes(13)),
        box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1)
            + box(b"dinf", _table(b"dref", [_full(b"url ", b"", flags=1)]))
            + _sample_table(picture, place),
        ),
    )
    parts = [
        _full(b"tkhd", head, version=wide, flags=picture.flags),
        box(b"tref", references) if references else b"",
    ]
    if picture.repeats is not None:
        parts.append(box(b"edts", _table(b"elst", [edits], version=wide, flags=picture.repeats)))
    return box(b"trak", b"".join([*parts, box(b"mdia", b"".join(media))]))


def _sample_table(picture: Picture, place: int) -> bytes:
    samples, lengths = picture.samples, picture.lengths
    numbers = (number.to_bytes(4) for number in samples.sync or ())
    parts = [
        _table(b"stsd", [_entry(picture)]),
        _table(b"stts", [struct.pack(">II", *span) for span in samples.spans]),
        _table(b"stsc", [struct.pack(">III", 1, len(lengths), 1)]),
        _full(b"stsz", _sizes(lengths)),
        _table(b"stco", [place.to_bytes(4)]),
    ]
    if samples.sync is not None:
        parts.append(_table(b"stss", list(numbers)))
    return box(b"stbl", b"".join(parts))


def _sizes(lengths: Sequence[int]) -> bytes:
    """The length of all samples, 0 where they differ, and how many there are, before the length of each."""
    if len(set(lengths)) == 1:
        return struct.pack(">II", lengths[0], len(lengths))
    return struct.pack(f">II{len(lengths)}I", 0, len(lengths), *lengths)


def _entry(picture: Picture) -> bytes:
    """VisualSampleEntry (12.1.3), whose name of the encoder is empty."""
    head = struct.pack(">6xH16xHHIIIH32xHH", 1, *picture.coded, _DENSITY, _DENSITY, 0, 1, 24, 0xFFFF)
    return box(b"av01", head + b"".join(box(kind, content) for kind, content, _ in picture.properties))


def _times(wide: bool, scale: int, duration: int) -> bytes:
    """When it was made and changed, which is not told, and how long it runs."""
    count = 8 if wide else 4
    return bytes(2 * count) + scale.to_bytes(4) + duration.to_bytes(count, signed=duration < 0)


def _table(kind: bytes, entries: Iterable[bytes], *, version: int = 0, flags: int = 0) -> bytes:
    entries = list(entries)
    return _full(kind, len(entries).to_bytes(4) + b"".join(entries), version=version, flags=flags)


def _full(kind: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, (version << 24 | flags).to_bytes(4) + content)
