"""ICC profiles written again, so that they say a colour space and nothing else (ICC.1:2022, ICC.1:2001-04).

A profile names people and machines: its description, copyright, serial numbers, dates, makers, private tags, and bytes
between and behind its tags. `to_keep` writes a profile of its own with the same colours: the tags that colour needs,
each parsed and written again byte by byte, a neutral description and copyright, and a header without dates and names.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from functools import lru_cache

from service.engine import srgb
from service.engine.stripping import NotCopied
from service.engine.stripping.icc_elements import Malformed, element

MAX_PROFILE = 255 * 65_519  # what a JPEG can hold; a real one has a few MB at most
HEADER = 128
MAX_TAGS = 256
DESCRIPTION, COPYRIGHT = "ICC profile", "none"

_TABLES = tuple(f"{kind}{number}".encode() for kind in ("A2B", "B2A", "D2B", "B2D") for number in range(4))
_COMMON = (b"wtpt", b"chad", b"cicp", *_TABLES)
_NEEDED = {
    b"RGB ": (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", *_COMMON),
    b"GRAY": (b"kTRC", *_COMMON),
    b"CMYK": _COMMON,
}
"""The tags that colour needs, by the colour space of the samples."""

_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_CONNECTIONS = (b"XYZ ", b"Lab ")
_D50 = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
_INTENTS = range(4)
_MODES = {b"RGB ": ("RGB", 3), b"GRAY": ("L", 1), b"CMYK": ("CMYK", 4)}
_STEPS = {3: (0, 3, 9, 32, 77, 128, 200, 247, 255), 1: tuple(range(256)), 4: (0, 20, 99, 180, 255)}
"""Sample values that are compared, in all combinations, by the number of channels."""


@lru_cache(maxsize=8)
def to_keep(profile: bytes) -> bytes:
    """Return a profile of the same colours; nothing where this is no usable profile, or is that of sRGB.

    Every viewer takes an image without a profile for sRGB, so leaving that one out changes nothing. Raises NotCopied
    where a profile that Little CMS uses cannot be written again with the same colours.
    """
    profile = other_than_srgb(profile)
    mode, channels = _MODES.get(profile[16:20], ("", 0))
    if not mode or profile[12:16] not in _CLASSES:
        return b""
    before = _converted(profile, mode, channels)
    if not before:
        return b""
    written = _written(profile)
    if _converted(written, mode, channels) != before:
        raise NotCopied("the colour profile has parts that are in no standard")
    return written


def other_than_srgb(profile: bytes) -> bytes:
    """Return `profile`, cut to its own length; nothing where it is no profile, or is that of sRGB."""
    size = int.from_bytes(profile[:4])
    if profile[36:40] != b"acsp" or not HEADER + 4 <= size <= len(profile):
        return b""
    return b"" if srgb.is_srgb(profile[:size]) else profile[:size]


def _written(profile: bytes) -> bytes:
    """The profile with the tags that it needs, those that are malformed left out."""
    tags: dict[bytes, bytes] = {}
    for name, content in _tags(profile):
        if name not in _NEEDED[profile[16:20]] or name in tags:
            continue
        try:
            tags[name] = element(name, content)
        except (Malformed, struct.error):
            continue  # Little CMS cannot read it either, or does not have to
    latest = profile[8] >= 4
    needed = {name: tags[name] for name in _NEEDED[profile[16:20]] if name in tags}
    texts = {b"desc": (_localised if latest else _described)(DESCRIPTION)}
    texts[b"cprt"] = _localised(COPYRIGHT) if latest else b"text\0\0\0\0" + COPYRIGHT.encode() + b"\0"
    return _assembled(_header(profile), texts | needed)


def _tags(profile: bytes) -> Iterator[tuple[bytes, bytes]]:
    count = min(int.from_bytes(profile[HEADER : HEADER + 4]), MAX_TAGS)
    table = profile[HEADER + 4 : HEADER + 4 + 12 * count]
    for i in range(0, len(table) - 11, 12):
        offset, size = struct.unpack_from(">II", table, i + 4)
        if offset + size <= len(profile):
            yield table[i : i + 4], profile[offset : offset + size]


def _header(profile: bytes) -> bytes:
    """The 124 bytes behind the size: version, class, spaces and intent stay; all else is zero, or what has to be."""
    intent = int.from_bytes(profile[64:68])
    connection = profile[20:24] if profile[20:24] in _CONNECTIONS else b"XYZ "
    header = b"\0\0\0\0" + profile[8:10] + b"\0\0" + profile[12:20] + connection + bytes(12) + b"acsp" + bytes(24)
    return (header + struct.pack(">I", intent if intent in _INTENTS else 0) + _D50).ljust(HEADER - 4, b"\0")


def _assembled(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Header, table and elements, each element once and padded to four bytes with zeros."""
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    start = HEADER + 4 + 12 * len(tags)
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", places[content], len(content))
    return struct.pack(">I", start + len(body)) + header + table + body


def _described(text: str) -> bytes:
    """textDescriptionType of version 2, with ASCII alone."""
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text.encode() + bytes(1 + 4 + 4 + 2 + 1 + 67)


def _localised(text: str) -> bytes:
    """multiLocalizedUnicodeType of version 4, in English alone."""
    content = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(content), 28) + content


def _converted(profile: bytes, mode: str, channels: int) -> list[bytes]:
    """Sampled colours in sRGB by every intent; nothing where Little CMS cannot use the profile."""
    samples = bytes(itertools.chain.from_iterable(itertools.product(_STEPS[channels], repeat=channels)))
    return srgb.converted(profile, mode, samples)
