"""AVIF and HEIC: items in boxes (ISO/IEC 14496-12, 23008-12). The picture is the primary item.

libheif applies `clap`, `irot` and `imir` while it decodes (of AVIF our reader does it), so that width and height are
given here as they are after that, and orientation is 1. An EXIF orientation is only informative here, by the standard.
A sequence of AV1 is an animation (`movie`); one of HEVC counts as its still picture, or as its first one.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers import av1_items, clap, heif_items, hevc, movie, tracks
from service.engine.headers.change import Change
from service.engine.headers.heif_items import Box, Items, boxes
from service.engine.headers.source import Cut, Source
from service.engine.job import Header, NotAnImage, Undecodable

SIGNATURE_AT_4 = b"ftyp"
MAX_META = 512 * 1024  # a grid of a thousand tiles takes a tenth of it
_LONGEST_SETS = 64 * 1024

BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"miaf"}
FORMATS = {b"av01": "avif", b"hvc1": "heic"}
DERIVED = (b"grid", b"iden", b"iovl")  # made from other items, which tell the codec
ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


def _is_kin(source: Source) -> bool:
    """Whether the file type box names a brand of still pictures."""
    kind = source.part(8, source.number(0, 4) - 8).head(256)
    return not BRANDS.isdisjoint(kind[i : i + 4] for i in range(0, len(kind), 4) if i != 4)


def begins(head: bytes, source: Source) -> bool:
    return head[4:8] == SIGNATURE_AT_4 and _is_kin(source)


def header(source: Source) -> Header:
    moving = movie.movie(source)
    inside, items = items_of(source)
    codec = _codec(items)
    if codec == b"av01":
        _check_av1(source, inside, items)
    if moving:
        width, height = moving.size
        for change in changes(source):
            width, height = change.size(width, height)
        return Header("avif", width, height, frames=len(moving.delays), alpha=moving.alpha)
    if not codec:
        raise Undecodable("The HEIF file is damaged: it does not say what its picture is")
    if codec not in FORMATS:
        raise NotAnImage("HEIF files are taken with AV1 (avif) or HEVC (heic) inside, which this one has not")
    width, height = _size(inside, items)
    if codec != b"av01":
        _check_hevc(inside, items)
    return Header(FORMATS[codec], width, height, alpha=_has_alpha(inside, items))


def items_of(source: Source) -> tuple[Source, Items]:
    """The content of the `meta` box, and what it tells; of a sequence without a still picture the file, and what its
    tracks tell. Raises Undecodable."""
    meta = next((box for box in boxes(source) if box.kind == b"meta"), None)
    if (meta is None or not _has_picture(source, meta)) and (found := tracks.tracks(source)):
        return source, tracks.items(found)
    if meta is None or meta.end - meta.start > MAX_META:
        raise Undecodable("The HEIF file is damaged: it has no still picture")
    if meta.end > source.size:
        raise Cut("The HEIF file is damaged: the file ends inside its header")
    inside = source.part(meta.start, meta.end - meta.start)
    return inside, heif_items.read(inside)


def _has_picture(source: Source, meta: Box) -> bool:
    """Whether the box is of a still picture, not of something about the file (ISO/IEC 23008-12, 6.2)."""
    inside = source.part(meta.start, meta.end - meta.start)
    handler = next((box for box in boxes(inside, 4) if box.kind == b"hdlr"), None)
    return handler is None or inside.read(handler.start + 8, 4) == b"pict"


def missing(source: Source) -> str | None:
    try:
        cut = any(box.end > source.size for box in boxes(source))
    except Undecodable:
        cut = True
    return "the file ends inside a box" if cut else None


def _codec(items: Items) -> bytes:
    """The codec of the primary item, or of the first tile it is made of."""
    kind = items.kinds.get(items.primary, b"")
    if kind not in DERIVED:
        return kind
    made_from = next((to for item, to in items.references.get(b"dimg", []) if item == items.primary and to), [0])
    return items.kinds.get(made_from[0], b"")


def _said(meta: Source, items: Items, item: int) -> tuple[int, int]:
    """Width and height of an item before its transformations; 0, 0 where it has none."""
    if item in items.sizes:
        return items.sizes[item]
    box = next((box for box in reversed(items.properties.get(item, [])) if box.kind == b"ispe"), None)
    return (meta.number(box.start + 4, 4), meta.number(box.start + 8, 4)) if box else (0, 0)


def _size(meta: Source, items: Items) -> tuple[int, int]:
    """Width and height after the transformations of the primary item, in their order."""
    width, height = _said(meta, items, items.primary)
    for change in _changes(meta, items):
        width, height = change.size(width, height)
    return width, height


def changes(source: Source) -> list[Change]:
    """What makes of the coded picture the one that is shown, in this order. Raises Undecodable.

    Of a moving AVIF it is what its track's sample entry says, as libavif has it: not the still picture nor the matrix.
    """
    if moving := movie.movie(source):
        return list(_cut_and_turned(source, tracks.tracks(source)[0].properties, moving.size))
    return list(_changes(*items_of(source)))


def _changes(meta: Source, items: Items) -> Iterator[Change]:
    said = _said(meta, items, items.primary)
    yield from _cut_and_turned(meta, items.properties.get(items.primary, []), said)
    if items.primary in items.turns:
        yield Change(turn=items.turns[items.primary])


def _cut_and_turned(meta: Source, properties: list[Box], size: tuple[int, int]) -> Iterator[Change]:
    width, height = size
    for box in properties:
        if box.kind == b"clap":
            change = Change(cut=clap.edges(meta.part(box.start, 32), width, height))
        elif box.kind in (b"irot", b"imir"):
            value = meta.number(box.start, 1)
            change = Change(turn=value & 3) if box.kind == b"irot" else Change(mirror=value & 1)
        else:
            continue
        width, height = change.size(width, height)
        yield change


def _check_av1(source: Source, meta: Source, items: Items) -> None:
    """Raise Undecodable where a picture is larger than is said of it."""
    whole = _said(meta, items, items.primary)  # as large at most is an alpha that states no size
    said = {item: _said(meta, items, item) for item, kind in items.kinds.items() if kind == b"av01"}
    said = {item: whole if size == (0, 0) else size for item, size in said.items()}
    av1_items.check(source, meta, said, items.boxes.get(b"iloc"), items.boxes.get(b"idat"))


def _check_hevc(meta: Source, items: Items) -> None:
    """Raise Undecodable where a picture is larger than is said of it."""
    pairs = {(box, _said(meta, items, item)) for item in items.kinds for box in items.properties.get(item, [])}
    coded = {box: hevc.size(parameter_sets(meta, box)) for box, _ in pairs if box.kind == b"hvcC"}
    for box, (width, height) in pairs:
        across, down = coded.get(box, (0, 0))
        if across > width + hevc.PADDING or down > height + hevc.PADDING:
            raise Undecodable(f"The HEIC is damaged: it holds {across}x{down} pixels, and says {width}x{height}")


def parameter_sets(meta: Source, box: Box) -> bytes:
    """The content of an `hvcC` box, at most as much as is looked at."""
    return meta.part(box.start, box.end - box.start).head(_LONGEST_SETS)


def _has_alpha(meta: Source, items: Items) -> bool:
    if items.alphas:
        return True
    auxiliaries = [item for item, to in items.references.get(b"auxl", []) if items.primary in to]
    described = (box for item in auxiliaries for box in items.properties.get(item, []) if box.kind == b"auxC")
    return any(meta.part(box.start + 4, box.end - box.start - 4).head(64).startswith(ALPHA) for box in described)
