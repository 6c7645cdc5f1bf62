"""JPEG XL: in boxes, compressed or not, in what a JPEG is made of again, in names, and behind the end."""

from __future__ import annotations

import numpy as np

from tests import images
from tests.engine.free_bytes import LONG, PLANTED, SMALL
from tests.engine.free_bytes.jpegs import JPEGS, PLAIN, segment
from tests.jxls import box, boxes, container, encoded, split

STREAM = images.jxl(SMALL, lossless=True)
OF_JPEG = images.jxl_of_jpeg(PLAIN)

NOT_TAKEN = ("between restarts", "in unused tables")
"""libjxl refuses to make a JPEG XL of these."""

BOXES = (b"Exif", b"xml ", b"jumb", b"free", b"abcd", b"jxli")


def with_box(data: bytes, kind: bytes, content: bytes) -> bytes:
    return data + box(kind, content)


def within(kind: bytes) -> bytes:
    """Before, between and behind the parts of the codestream."""
    secret = (kind, bytes(4) + LONG)
    first, last = split(STREAM, 200)
    return container([secret, first, secret, last, secret])


JXLS: dict[str, bytes] = {
    **{f"in a box {kind.decode()}": within(kind) for kind in BOXES},
    **{f"in a box {kind.decode()} beside a JPEG": with_box(OF_JPEG, kind, bytes(4) + LONG) for kind in BOXES},
    "in boxes that are compressed": images.jxl(
        SMALL, lossless=True, use_container=True, compress_metadata=True, exif=images.exif() + LONG, xmp=LONG, jumb=LONG
    ),
    "behind the codestream": STREAM + PLANTED,
    "in the name of a frame": encoded(np.asarray(SMALL), (1, 13), name=PLANTED),
    **{f"of a JPEG: {name}": images.jxl_of_jpeg(data) for name, data in JPEGS.items() if name not in NOT_TAKEN},
    "of a JPEG: comment": images.jxl_of_jpeg(PLAIN[:2] + segment(0xFE, LONG) + PLAIN[2:]),
    "of a JPEG: APP9": images.jxl_of_jpeg(PLAIN[:2] + segment(0xE9, LONG) + PLAIN[2:]),
    "of a JPEG: EXIF": images.jxl_of_jpeg(images.jpeg(SMALL, exif=images.exif() + LONG)),
    "of a JPEG: behind its end": images.jxl_of_jpeg(PLAIN + LONG),
}
assert any(kind == b"jbrd" for kind, _ in boxes(OF_JPEG))
