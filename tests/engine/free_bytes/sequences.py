"""Moving AVIF: in boxes of the file, of its movie and of its tracks, in other tracks, between units, in unused data."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests import images
from tests.engine.free_bytes import LONG, PLANTED
from tests.engine.free_bytes.avifs import unit
from tests.engine.movies import Box, changed, parsed, samples_of, with_samples

MOVING = images.animation(
    images.moving(64, 48, 3, alpha=True), "AVIF", duration=[40, 60, 80], speed=9, exif=images.exif() + LONG, xmp=LONG
)
EIGHT = PLANTED[:8]
TABLE = "mdia/minf/stbl"
TRACK = "moov/trak"


def planted(change: Callable[[Box], None]) -> bytes:
    return changed(MOVING, change)


def at_the_top(whole: Box) -> None:
    loose = [Box(kind, LONG) for kind in (b"free", b"skip", b"udta", b"meco", b"emsg", b"mdat", b"wide", b"xyzz")]
    whole.parts[1:1] = [*loose[:5], Box(b"uuid", bytes(16) + LONG)]
    whole.parts += loose[5:]


def in_the_still_picture(whole: Box) -> None:
    meta = whole.find("meta")
    meta.find("hdlr").content = bytes(8) + b"pict" + bytes(12) + LONG + b"\0"
    meta.parts += [Box(b"idat", LONG), Box(b"uuid", bytes(16) + LONG), Box(b"udta", LONG)]
    meta.find("iprp/ipco").parts += [Box(b"udes", bytes(4) + LONG), Box(b"free", LONG)]
    meta.find("iprp/ipco/av1C").content += LONG


def in_the_movie(whole: Box) -> None:
    movie = whole.find("moov")
    said = Box(b"meta", bytes(4), [Box(b"hdlr", bytes(8) + b"mdta" + bytes(13)), Box(b"ilst", LONG)])
    movie.parts += [Box(b"udta", b"", [Box(b"\xa9cmt", LONG)]), said, Box(b"uuid", bytes(16) + LONG)]
    movie.find("mvhd").put(4, EIGHT * 2)
    movie.find("mvhd").put(38, PLANTED[:10])  # reserved
    movie.find("mvhd").put(84, PLANTED * 2)  # predefined


def in_tracks(whole: Box) -> None:
    for index in range(2):
        track = whole.find(f"{TRACK}:{index}")
        track.find("tkhd").put(4, EIGHT * 2)
        track.find("tkhd").put(36, EIGHT + PLANTED[:4])  # reserved, layer and group
        track.find("mdia/mdhd").put(4, EIGHT * 2)
        track.find("mdia/mdhd").put(32, b"xy")  # language
        track.find("mdia/hdlr").put(12, PLANTED)
        track.find("mdia/hdlr").content += LONG + b"\0"
        track.find("edts").parts.append(Box(b"free", LONG))
        track.parts += [Box(b"udta", LONG), Box(b"uuid", bytes(16) + LONG), Box(b"meta", bytes(4))]
        track.parts[-1].parts = [Box(b"hdlr", bytes(8) + b"pict" + bytes(13)), Box(b"xml ", bytes(4) + LONG)]


def in_tables(whole: Box) -> None:
    for index in range(2):
        table = whole.find(f"{TRACK}:{index}/{TABLE}")
        table.parts += [Box(kind, bytes(4) + LONG) for kind in (b"sdtp", b"sgpd", b"sbgp", b"saiz", b"udta", b"free")]
        for kind in ("stts", "stsc", "stco"):
            table.find(kind).content += LONG
        entry = table.find("stsd/av01")
        entry.put(42, b"\x1f" + (LONG * 2)[:31])  # the name of the encoder
        entry.put(8, EIGHT + EIGHT)  # predefined and reserved
        entry.find("av1C").content += LONG
        entry.find("ccst").content += LONG
        entry.parts += [Box(kind, LONG) for kind in (b"btrt", b"free", b"uuid", b"xyzz")]
    whole.find(f"{TRACK}:1/{TABLE}/stsd/av01/auxi").content += LONG
    whole.find(f"{TRACK}/mdia/minf/dinf/dref/url ").content += LONG
    whole.find(f"{TRACK}/mdia/minf").parts.append(Box(b"nmhd", LONG))


def another_track(handler: bytes, entry: bytes) -> Callable[[Box], None]:
    def change(whole: Box) -> None:
        (track,) = parsed(whole.find(f"{TRACK}").written()).parts
        track.find("tkhd").put(20, struct.pack(">I", 9))
        track.find("mdia/hdlr").put(8, handler)
        track.find(TABLE).find("stsd").parts = [Box(entry, bytes(6) + b"\0\1" + LONG)]
        track.parts.append(Box(b"tref", b"", [Box(b"cdsc", struct.pack(">I", 1))]))
        whole.find("moov").parts.append(track)
        whole.parts.append(Box(b"mdat", LONG))

    return change


def between_units(track: int) -> bytes:
    hidden = unit(5, b"\4\xb5" + LONG), unit(15, LONG), unit(9, LONG), unit(2, b""), unit(8, LONG)
    made = [b"".join(hidden[:3]) + one + b"".join(hidden) for one in samples_of(MOVING, track)]
    return with_samples(MOVING, made, track)


def beside_samples(whole: Box) -> None:
    whole.find("mdat").content += LONG


SEQUENCES: dict[str, bytes] = {
    "moving, at the top": planted(at_the_top),
    "moving, in its still picture": planted(in_the_still_picture),
    "moving, in its movie": planted(in_the_movie),
    "moving, in its tracks": planted(in_tracks),
    "moving, in its tables": planted(in_tables),
    "moving, in sound": planted(another_track(b"soun", b"mp4a")),
    "moving, in a track of metadata": planted(another_track(b"meta", b"mett")),
    "moving, between units of its pictures": between_units(0),
    "moving, between units of its transparency": between_units(1),
    "moving, in unused data": planted(beside_samples),
}
