"""JPEG: between scans and restarts, in tables and segments."""

from __future__ import annotations

import re
import struct

from tests import images
from tests.engine.free_bytes import LONG, PLANTED, SMALL


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def before_scan(data: bytes, planted: bytes) -> bytes:
    at = data.index(b"\xff\xda")
    return data[:at] + planted + data[at:]


def between_restarts(data: bytes) -> bytes:
    """Up to 16 bytes are left over before a restart, which no decoder minds."""
    head, scan = data[: data.index(b"\xff\xda")], data[data.index(b"\xff\xda") :]
    return head + re.sub(rb"(\xff[\xd0-\xd7])", PLANTED + rb"\1", scan)


def in_a_table(data: bytes) -> bytes:
    values = LONG[:64]
    return before_scan(data, segment(0xDB, b"\x03" + values) + segment(0xC4, b"\x13" + bytes(15) + b"\x40" + values))


RESTARTS = images.jpeg(SMALL, restart_marker_blocks=2)
PLAIN = images.jpeg(SMALL)
SCAN = b"\xff\xda"
JPEGS: dict[str, bytes] = {
    "DNL": PLAIN[:-2] + segment(0xDC, LONG) + PLAIN[-2:],
    "between restarts": between_restarts(RESTARTS),
    "in unused tables": in_a_table(PLAIN),
    "behind the last code": PLAIN[:-2] + PLANTED + PLAIN[-2:],
    "in the comment of a scan": images.jpeg(SMALL, progressive=True).replace(
        b"\xff\xda", segment(0xFE, LONG) + b"\xff\xda"
    ),
    "JFIF": PLAIN[:2] + segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\4\1" + PLANTED) + PLAIN[20:],
}
