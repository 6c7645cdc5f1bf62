"""Name the kind of a refused file, for the error message only."""

from __future__ import annotations

import re

_LOOKS = (
    (rb"%PDF", "a PDF document"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript file"),
    (rb"(?is).{0,1024}<svg", "an SVG drawing"),
    (rb"(?is).{0,512}<!doctype html|.{0,512}<html", "an HTML page"),
    (rb"(?is)\s*(<\?xml[^>]*>)?\s*<(msl|image|group)\b", "an MSL script"),
    (rb"(?i)\s*(push\s+(graphic-context|pattern|defs)|viewbox\s|image\s+over)", "an MVG drawing"),
    (rb"\s*<\?xml", "an XML document"),
    (rb"PK\x03\x04", "a zip archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"8BPS", "a Photoshop document"),
    (rb"gimp xcf", "a GIMP image"),
    (rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (rb"\x8aMNG|\x8bJNG", "an MNG animation"),
    (rb"\0\0\x02\0", "a Windows cursor"),
    (rb"P[1-7]\s", "a PNM image"),
    (rb"(?s).{4}ftyp", "a video"),
    (rb"RIFF", "a sound or a video"),
    (rb"\x1aE\xdf\xa3", "a video"),
    (rb"\x7fELF|MZ", "a program"),
    (rb"#!", "a script"),
    (rb"[\t\n\r\x20-\x7e\x80-\xff]{16,}\Z", "text"),
)
_PATTERNS = tuple((re.compile(pattern), name) for pattern, name in _LOOKS)


def looks_like(head: bytes) -> str | None:
    """A name with its article for the kind of file that begins with `head`, as far as it is known."""
    if not head:
        return "an empty file"
    head = head.removeprefix(b"\xef\xbb\xbf")
    return next((name for pattern, name in _PATTERNS if pattern.match(head)), None)
