"""Find the blocks of a file that tell of its provenance: XMP, IPTC and the manifest store of C2PA.

Each function takes a file of its format and yields what there is, in the file's order. They raise Undecodable where the
structure is broken.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

from service.engine.headers import av1_items, gif, heif_items, isobmff, jpeg, png, tiff, webp
from service.engine.headers.heif_items import Items
from service.engine.headers.source import Source
from service.engine.jxl import boxes
from service.engine.provenance import iim, manifest, xmp


class Block(NamedTuple):
    kind: Literal["xmp", "iptc", "c2pa"]
    content: bytes


Blocks = Iterator[Block]

XMP_IN_JPEG, RESOURCES_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
XMP_IN_PNG, XMP_IN_GIF, C2PA_IN_GIF = b"XML:com.adobe.xmp", b"XMP DataXMP", b"C2PA_GIF\1\0\0"
XMP_IN_JXL, _C2PA_IN_JXL = b"xml ", b"jumb"
XMP_IN_TIFF, IPTC_IN_TIFF, RESOURCES_IN_TIFF, C2PA_IN_TIFF = 700, 33723, 34377, 52545
XMP_IN_HEIF = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_C2PA_IN_HEIF = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_LONGEST_IN_JXL = {XMP_IN_JXL: xmp.LONGEST, _C2PA_IN_JXL: manifest.LONGEST}
_MORE_XMP_IN_JPEG = b"http://ns.adobe.com/xmp/extension/\0"
_APP11, _APP13 = 0xEB, 0xED
_RAW_PROFILE = re.compile(rb"Raw profile type iptc\0")  # by which ImageMagick and exiftool store IPTC in a PNG
_JUMB = re.compile(rb"....jumb", re.DOTALL)


def of_jpeg(source: Source) -> Blocks:
    """Resources, and a store, may go on from segment to segment (ISO/IEC 19566-5, annex D), and so may what of XMP has
    no room in the first (XMP part 3, 1.1.3.1)."""
    resources, stores, left = b"", dict[bytes, list[tuple[int, bytes]]](), manifest.LONGEST
    more, room = list[tuple[int, bytes]](), xmp.LONGEST
    for segment in jpeg.segments(source, scans=False):
        if segment.marker not in (jpeg.APP1, _APP11, _APP13):
            continue
        content = source.read(segment.start, segment.end - segment.start)
        if segment.marker == jpeg.APP1 and content.startswith(XMP_IN_JPEG):
            yield Block("xmp", content[len(XMP_IN_JPEG) :])
        elif content.startswith(_MORE_XMP_IN_JPEG) and len(content) < room:
            room -= len(content)
            at = len(_MORE_XMP_IN_JPEG) + 32 + 4  # a digest, and the length of the whole
            more.append((int.from_bytes(content[at : at + 4]), content[at + 4 :]))
        elif content.startswith(RESOURCES_IN_JPEG) and len(resources) < iim.LONGEST:
            resources += content[len(RESOURCES_IN_JPEG) :]
        elif segment.marker == _APP11 and content[:2] == b"JP" and len(content) > 16 and len(content) < left:
            left -= len(content)
            stores.setdefault(content[2:4], []).append((int.from_bytes(content[4:8]), content[8:]))
    yield Block("xmp", b"".join(part for _, part in sorted(more, key=lambda part: part[0])))
    yield Block("iptc", resources)
    for parts in stores.values():
        (_, first), *others = sorted(parts, key=lambda part: part[0])
        header = 16 if first[:4] == b"\0\0\0\1" else 8  # which every part repeats
        yield Block("c2pa", first + b"".join(part[header:] for _, part in others))


def of_png(source: Source) -> Blocks:
    for chunk in png.chunks(source):
        length = chunk.end - chunk.start
        if chunk.kind == b"caBX" and length <= manifest.LONGEST:
            yield Block("c2pa", source.read(chunk.start, length))
        elif chunk.kind in (b"iTXt", b"zTXt", b"tEXt") and length <= xmp.LONGEST:
            text = source.read(chunk.start, length)
            if chunk.kind == b"iTXt" and text.startswith(XMP_IN_PNG + b"\0"):
                packed, language = text[len(XMP_IN_PNG) + 1 : len(XMP_IN_PNG) + 2] == b"\1", text[len(XMP_IN_PNG) + 3 :]
                content = language.partition(b"\0")[2].partition(b"\0")[2]
                yield Block("xmp", _inflated(content) if packed else content)
            elif (found := _RAW_PROFILE.match(text)) and chunk.kind != b"iTXt":
                content = text[found.end() :]
                yield Block("iptc", _from_hex(_inflated(content[1:]) if chunk.kind == b"zTXt" else content))


def of_webp(source: Source) -> Blocks:
    for chunk in webp.chunks(source):
        length = min(chunk.end, source.size) - chunk.start
        if chunk.kind == b"XMP " and length <= xmp.LONGEST:
            yield Block("xmp", source.read(chunk.start, length))
        elif chunk.kind == b"C2PA" and length <= manifest.LONGEST:
            yield Block("c2pa", source.read(chunk.start, length))


def of_heif(source: Source) -> Blocks:
    """XMP is an item, or, as of all files that may move, a box at the top (XMP part 3, 1.2.7.1); a store is one there
    (C2PA 2.2, A.5)."""
    for box in heif_items.boxes(source):
        content = source.part(box.start, box.end - box.start)
        if content.size > manifest.LONGEST:
            continue
        if box.kind == b"jumb":
            yield Block("c2pa", (content.size + 8).to_bytes(4) + b"jumb" + content.head(content.size))
        elif box.kind == b"uuid" and content.head(16) == XMP_IN_HEIF and content.size <= xmp.LONGEST:
            yield Block("xmp", content.read(16, content.size - 16))
        elif box.kind == b"uuid" and content.head(16) == _C2PA_IN_HEIF:
            data = content.head(content.size)  # version, purpose and an offset come before the store
            found = _JUMB.search(data, 16)
            yield Block("c2pa", data[found.start() :] if found else b"")
    inside, items = isobmff.items_of(source)
    yield from _items(source, inside, items)


def _items(source: Source, inside: Source, items: Items) -> Blocks:
    for number in [number for number, kind in items.kinds.items() if kind == b"mime"][:16]:
        places = items.boxes.get(b"iloc"), items.boxes.get(b"idat")
        content = av1_items.beginning_of(number, source, inside, *places, most=xmp.LONGEST)
        if xmp.RDF.encode() in content:
            yield Block("xmp", content)


def of_jxl(source: Source) -> Blocks:
    """Boxes of a container (ISO/IEC 18181-2), also those that `brob` holds compressed."""
    for kind, content in boxes.contents(source, _LONGEST_IN_JXL):
        if kind == XMP_IN_JXL:
            yield Block("xmp", content)
        else:
            yield Block("c2pa", (len(content) + 8).to_bytes(4) + _C2PA_IN_JXL + content)


def of_gif(source: Source) -> Blocks:
    """XMP lies as it is in its extension; what follows it lets decoders step over it (XMP part 3, 1.1.2)."""
    for block in gif.blocks(source):
        length = block.end - block.start
        if block.kind != gif.EXTENSION or block.label != gif.APPLICATION or not 14 < length <= manifest.LONGEST:
            continue
        name, held = source.read(block.start + 3, 11), source.part(block.start + 14, length - 14)
        if name == XMP_IN_GIF and length <= xmp.LONGEST:
            content = held.head(held.size)
            yield Block("xmp", content[: content.rfind(b">") + 1])
        elif name == C2PA_IN_GIF:
            yield Block("c2pa", _joined(held.head(held.size)))


def of_tiff(source: Source) -> Blocks:
    page = next(tiff.directories(source))
    yield Block("xmp", page.content(XMP_IN_TIFF, xmp.LONGEST))
    words = page.numbers(IPTC_IN_TIFF, iim.LONGEST // 4)  # some writers give it as numbers of four bytes
    given = b"".join(word.to_bytes(4, "little" if page.little else "big") for word in words)
    yield Block("iptc", page.content(IPTC_IN_TIFF, iim.LONGEST) or given)
    yield Block("iptc", page.content(RESOURCES_IN_TIFF, iim.LONGEST))
    yield Block("c2pa", page.content(C2PA_IN_TIFF, manifest.LONGEST))


def _joined(data: bytes) -> bytes:
    """The sub-blocks of a GIF without their lengths."""
    parts, at = [], 0
    while at < len(data) and data[at]:
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(parts)


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, xmp.LONGEST)
    except zlib.error:
        return b""


def _from_hex(text: bytes) -> bytes:
    """A profile that is written as lines: an empty one, its name, its length, and then its digits."""
    try:
        return bytes.fromhex(text.split(b"\n", 3)[-1].decode("ascii"))
    except ValueError:
        return b""
