"""AVIF files by Pillow, with boxes of items changed here: apertures, alpha that states no size, split associations."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image

from tests.pictures.case import Case
from tests.pictures.files import taken

COLOUR, OTHER = (200, 40, 90), (20, 90, 200)
SIZE = (64, 48)


def halves(alpha: int | None = None) -> bytes:
    """The left half in one colour, the right one in another."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3 if alpha is None else 4), np.uint8)
    pixels[:, :32, :3], pixels[:, 32:, :3] = COLOUR, OTHER
    if alpha is not None:
        pixels[..., 3] = alpha
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "AVIF", quality=90, subsampling="4:4:4")
    return buffer.getvalue()


def with_aperture(size: tuple[int, int], offset: tuple[int, int]) -> bytes:
    """The picture cut to an aperture of `size`, whose middle is `offset` half pixels from that of the picture."""
    clap = struct.pack(">IIIIiIiI", size[0], 1, size[1], 1, offset[0], 2, offset[1], 2)
    return with_property(halves(), b"clap", clap)


def with_property(data: bytes, kind: bytes, content: bytes) -> bytes:
    """A property more, last of the first item's."""
    box = (8 + len(content)).to_bytes(4) + kind + content
    properties = data.index(b"ipco")
    end = properties - 4 + int.from_bytes(data[properties - 4 : properties])
    count = 0
    at = properties + 4
    while at < end:
        at, count = at + int.from_bytes(data[at : at + 4]), count + 1
    data = data[:end] + box + data[end:]
    associations = data.index(b"ipma")
    places = associations + 4 + 8 + 2  # behind version and flags, the number of items, and the first item
    number = data[places]
    insert = places + 1 + number
    data = data[:places] + bytes([number + 1]) + data[places + 1 : insert] + bytes([0x80 | count + 1]) + data[insert:]
    data = grown(data, b"ipco", len(box))
    data = grown(data, b"ipma", 1)
    for outer in (b"iprp", b"meta"):
        data = grown(data, outer, len(box) + 1)
    return moved(data, len(box) + 1)


def without_size_of_alpha(data: bytes) -> bytes:
    """The alpha item without its `ispe`: another of its properties is named twice in its place."""
    associations = data.index(b"ipma") + 4 + 8
    first = data[associations + 2]
    second = associations + 3 + first  # the second item
    names = second + 3
    found = bytearray(data)
    kinds = kinds_of_properties(data)
    for place in range(names, names + data[second + 2]):
        if kinds[(data[place] & 0x7F) - 1] == b"ispe":
            found[place] = data[names + data[second + 2] - 1]
    assert bytes(found) != data
    return bytes(found)


def split(data: bytes, *, reverse: bool = False) -> bytes:
    """Each item's properties associated by an `ipma` box of its own, as the encoder of the file did not write them; the
    data lie as much further as that takes."""
    start = data.index(b"ipma") - 4
    end = start + int.from_bytes(data[start : start + 4])
    head, entries, at = data[start + 8 : start + 12], [], start + 16
    while at < end:
        behind = at + 3 + data[at + 2]
        entries.append(data[at:behind])
        at = behind
    boxes = [(16 + len(entry)).to_bytes(4) + b"ipma" + head + b"\0\0\0\1" + entry for entry in entries]
    more = 16 * (len(boxes) - 1)
    assert more
    data = data[:start] + b"".join(boxes[::-1] if reverse else boxes) + data[end:]
    return moved(grown(grown(data, b"iprp", more), b"meta", more), more)


def kinds_of_properties(data: bytes) -> list[bytes]:
    at = data.index(b"ipco") + 4
    end = at - 8 + int.from_bytes(data[at - 8 : at - 4])
    found = []
    while at < end:
        found.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4])
    return found


def grown(data: bytes, kind: bytes, by: int) -> bytes:
    start = data.index(kind) - 4
    return data[:start] + (int.from_bytes(data[start : start + 4]) + by).to_bytes(4) + data[start + 4 :]


def moved(data: bytes, by: int) -> bytes:
    """Items whose data lie `by` bytes later: of version 0 of `iloc`, with offsets of 4 bytes, from a base or not."""
    at = data.index(b"iloc") + 4 + 4
    assert data[at] >> 4 == 4
    assert data[at] & 15 == 4
    found, base_size = bytearray(data), data[at + 1] >> 4
    count, at = int.from_bytes(data[at + 2 : at + 4]), at + 4
    for _ in range(count):
        base = int.from_bytes(data[at + 4 : at + 4 + base_size])
        if base:
            found[at + 4 : at + 4 + base_size] = (base + by).to_bytes(base_size)
        at += 4 + base_size
        extents, at = int.from_bytes(data[at : at + 2]), at + 2
        for _ in range(extents):
            if not base:
                found[at : at + 4] = (int.from_bytes(data[at : at + 4]) + by).to_bytes(4)
            at += 8
    return bytes(found)


def _apertures() -> Iterator[Case]:
    for name, size, offset, colour in (
        ("left half", (32, 48), (-32, 0), COLOUR),
        ("right half", (32, 48), (32, 0), OTHER),
        ("corner", (16, 16), (-48, -32), COLOUR),
        ("odd", (15, 11), (-49, -37), COLOUR),
    ):
        yield taken(f"avif clap {name}", partial(with_aperture, size, offset), colour, size=size, tolerance=4)
    yield taken(
        "avif clap beyond", partial(with_aperture, (90, 90), (0, 0)), OTHER, size=SIZE, tolerance=4, at=(0.75, 0.5)
    )


def _turned() -> Iterator[Case]:
    """XMP may say an orientation too, which is only informative (ISO/IEC 23008-12, 6.5.10, note)."""
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>'
    )
    for name, data in (("XMP", with_xmp(xmp)), ("XMP over irot", with_property(with_xmp(xmp), b"irot", b"\2"))):
        left = OTHER if "irot" in name else COLOUR
        yield taken(
            f"avif turned by {name}",
            partial(bytes, data),
            left,
            {"orientation": 1},
            size=SIZE,
            tolerance=4,
            at=(0.25, 0.5),
        )


def with_xmp(xmp: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(halves())) as image:
        image.save(buffer, "AVIF", quality=90, subsampling="4:4:4", xmp=xmp)
    return buffer.getvalue()


def _alpha() -> Iterator[Case]:
    said = {"alpha": True, "flaws": ["its alpha states no size"]}
    make = lambda: without_size_of_alpha(halves(128))  # noqa: E731
    yield taken("avif alpha that states no size", make, (*OTHER, 128), said, tolerance=4, at=(0.75, 0.5))


def _split() -> Iterator[Case]:
    """libavif takes one box of each version and flags (ISO/IEC 14496-12:2022, 8.11.14.1)."""
    flaw = "its properties are associated by several boxes where one is allowed"
    for name, reverse in (("", False), (", the last item first", True)):
        yield taken(
            f"avif of split associations{name}",
            partial(lambda reverse: split(halves(128), reverse=reverse), reverse),
            (*OTHER, 128),
            {"alpha": True, "flaws": [flaw]},
            tolerance=4,
            at=(0.75, 0.5),
        )
    two = {"alpha": True, "flaws": ["its alpha states no size", flaw]}
    make = lambda: split(without_size_of_alpha(halves(128)))  # noqa: E731
    yield taken("avif of split associations, one without a size", make, (*OTHER, 128), two, tolerance=4, at=(0.75, 0.5))


def with_exif(payload: bytes, alpha: int | None = None) -> bytes:
    """An item of Exif with this content, in place of a valid one of the same length (ISO/IEC 23008-12, A.2.1)."""
    valid = b"II*\0\x08\0\0\0\0\0\0\0\0\0" + b"exif of the same length"
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(halves(alpha))) as image:
        image.save(buffer, "AVIF", quality=90, subsampling="4:4:4", exif=valid)
    data = buffer.getvalue()
    item = bytes(4) + valid
    assert data.count(item) == 1
    return data.replace(item, (payload + item)[: len(item)])


def _exif() -> Iterator[Case]:
    """libavif refuses a picture for it; its pixels are all there."""
    said = {"flaws": ["its Exif is damaged"]}
    payloads = {
        "none": b"\0\0\0\0nothing of the kind at all, and long enough",
        "behind a prefix that is not counted": b"\0\0\0\0Exif\0\0II*\0\x08\0\0\0\0\0",
        "at another place": b"\0\0\0\x05",
    }
    for name, payload in payloads.items():
        yield taken(f"avif with Exif {name}", partial(with_exif, payload), OTHER, said, tolerance=4, at=(0.75, 0.5))
    two = {"alpha": True, "flaws": ["its alpha states no size", "its Exif is damaged"]}
    make = lambda: without_size_of_alpha(with_exif(b"\0\0\0\x05", 128))  # noqa: E731
    yield taken("avif with both flaws", make, (*OTHER, 128), two, tolerance=4, at=(0.75, 0.5))


CASES = [*_apertures(), *_turned(), *_alpha(), *_split(), *_exif()]
