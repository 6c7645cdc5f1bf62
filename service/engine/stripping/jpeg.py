"""What decoding needs of a JPEG: its tables, frames and scans, and the segments of its colour profile."""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.jpeg import APP2, segments
from service.engine.headers.source import Source
from service.engine.stripping import icc

# SOF0..15 with DHT and DAC among them; SOS, DQT, DNL, DRI.
KEPT = (set(range(0xC0, 0xD0)) - {0xC8}) | {0xDA, 0xDB, 0xDC, 0xDD}
ICC, ICC_PREFIX, ICC_PART = b"ICC_PROFILE\0", 14, 65_519


def profile_segments(source: Source) -> bytes:
    """The segments with the ICC profile that stays, as they stand before the first scan; empty where none does.

    Raises NotCopied where the profile cannot be written again.
    """
    return b"".join(_icc_segments(icc.to_keep(profile(source))))


def profile(source: Source) -> bytes:
    """The ICC profile, put together from its parts (ICC.1:2022, B.4); nothing where a part is missing."""
    parts: dict[int, bytes] = {}
    counts = set()
    for segment in segments(source, scans=False):
        size = segment.end - segment.start
        if segment.marker != APP2 or size < ICC_PREFIX or source.read(segment.start, len(ICC)) != ICC:
            continue
        number, count = source.read(segment.start + len(ICC), 2)
        parts[number] = source.read(segment.start + ICC_PREFIX, size - ICC_PREFIX)
        counts.add(count)
    if counts != {len(parts)} or set(parts) != set(range(1, len(parts) + 1)):
        return b""
    return b"".join(parts[number] for number in sorted(parts))


def _icc_segments(written: bytes) -> Iterator[bytes]:
    parts = [written[i : i + ICC_PART] for i in range(0, len(written), ICC_PART)]
    for number, part in enumerate(parts, 1):
        yield _segment(APP2, ICC + bytes([number, len(parts)]) + part)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content
