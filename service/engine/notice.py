"""`keep=copyright`: keep the copyright notice of an image, and no other metadata."""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine.exif import COPYRIGHT, Exif
from service.engine.job import Job
from service.engine.picture import Details

_IPTC = b"\x1c\x02\x74"
"""The beginning of IPTC's copyright notice, dataset 2:116 (IIM 4.2); two bytes of length follow."""


def copyright_block(job: Job, details: Details) -> bytes | None:
    """An EXIF block that holds nothing but the copyright notice of EXIF, or else of IPTC; None where there is none."""
    notice = copyright_text(job, details)
    if not notice:
        return None
    block = Pillow.Exif()
    block[COPYRIGHT] = notice
    return block.tobytes()


def copyright_text(job: Job, details: Details) -> str:
    """The copyright notice of EXIF, or else of IPTC; empty where there is none."""
    return Exif.of(job, details).copyright or _of_iptc(details.iptc or b"")


def _of_iptc(iptc: bytes) -> str:
    start = iptc.find(_IPTC)
    if start < 0:
        return ""
    length = int.from_bytes(iptc[start + 3 : start + 5], "big")
    return iptc[start + 5 : start + 5 + length].decode("utf-8", "replace").strip("\0 ")
