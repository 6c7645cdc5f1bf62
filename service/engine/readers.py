"""Files through the decoders, by the format's name: Pillow's where they are faster or see more, else ImageMagick's.

CPU of a 2725x2225 JPEG, Pillow's libjpeg-turbo against ImageMagick with the pixels brought over: 21 against 65 ms
whole, 10 against 12 ms at a quarter of the size, and 4 against 12 bytes of memory a pixel. ImageMagick 6 loses the
alpha of AVIF and rounds the delays of WebP.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import AvifImagePlugin, ImageFile, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL import Image as Pillow

from service.engine import libraries, stated, turning
from service.engine.formats import FORMATS, functions
from service.engine.geometry import Size
from service.engine.headers import png_texts
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, Job, TooLarge, Undecodable
from service.engine.magick import reading
from service.engine.memory import has_room
from service.engine.packed import Packed
from service.engine.picture import SILENT, Details, Frame
from service.engine.pillow_private import wrapped
from service.engine.png import transparency
from service.engine.tiff import chain
from service.engine.vips import deep_tiff

Reader = Callable[[Path, Header, range, int, bool], tuple[list[Frame], Details]]
"""Takes the file, its header, the indices of the frames wanted, the n of a JPEG's n/8, whether damage is tolerated."""

_IPTC = 0x0404
"""Photoshop's image resource that holds IPTC."""

Pillow.preinit()  # plug-ins, now: an engine process may be shut off from the files of Python later
OTHER_PLUGINS = AvifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin  # and no decoder that is not needed
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # an engine process has one core to itself

PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY = png_texts.LONGEST, png_texts.MOST

_OTHERS: dict[str, Reader] = functions(lambda row: row.library_reader)
"""By format, where it is neither Pillow nor ImageMagick."""

_DECODERS: dict[str, Callable[[Path, str, Size, int], Pillow.Image | Packed | None]] = functions(
    lambda row: row.decoder
)
"""By format, where they decode a still image faster than Pillow. They take the file, Pillow's mode and size, and n, and
return None where Pillow has to try instead."""

_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, RuntimeError)
"""What Pillow raises over broken files; RuntimeError is its word for what libavif refuses."""


def reader(job: Job) -> Reader:
    """How this original is read. Every reader raises Undecodable, and TooLarge where memory does not suffice."""
    usual = reading.read if libraries.reads(job) else _OTHERS.get(job.header.format, _pillow)
    read = _own(job) or (deep_tiff.read if deep_tiff.suits(job) else usual)

    def heeding(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
        try:
            frames, details = read(path, header, wanted, n, tolerant)
        except Undecodable:
            if tolerant or header.format not in _SECOND or read is _OWN.get(header.format):
                raise
            frames, details = _SECOND[header.format](path, header, wanted, n, tolerant)
        return frames, stated.heeded(frames, details, path, header)

    return heeding


def _own(job: Job) -> Reader | None:
    """What alone reads kinds of this format right, where the file is of such a kind."""
    needs = _NEEDS.get(job.header.format)
    if needs is None:
        return None
    with OpenedFile(Path(job.source)) as source:
        try:
            return _OWN[job.header.format] if needs(source, int(job.recipe.get("frame", 0))) else None
        except Undecodable:  # what has no structure left
            return None


_NEEDS: dict[str, Callable[[Source, int], bool]] = functions(lambda row: row.needs_own_reader)
_OWN: dict[str, Reader] = functions(lambda row: row.own_reader)
_SECOND: dict[str, Reader] = functions(lambda row: row.second_reader)


def _pillow(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    kind = FORMATS[header.format].coder
    wanted = chain.pages(path, header, wanted)
    ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
    try:
        # Not by name: Pillow would map the file of an uncompressed image, and a map fails with the file.
        with path.open("rb") as opened, Pillow.open(opened, formats=(kind,)) as file:
            decoded = None if tolerant or header.frames > 1 else _decoded(path, file, header, n)
            frames = [Frame(decoded)] if decoded else _loaded(path, file, header, wanted, n)
            info, mode = file.info, file.mode
    except FileNotFoundError:  # it was removed meanwhile, which says nothing of it
        raise
    except Pillow.DecompressionBombError as error:
        raise TooLarge("the image has more pixels than its header said") from error
    except _DAMAGE as error:
        if FORMATS[header.format].fails_silently and not has_room(8 * header.width * header.height):
            raise TooLarge("the image takes more memory than an engine process may use") from error
        raise Undecodable("the image is damaged") from error
    space = {"CMYK": "cmyk", "L": "gray", "LA": "gray", "1": "gray"}.get(mode, "srgb")
    resources = info.get("photoshop") or {}
    iptc = resources.get(_IPTC) if isinstance(resources, dict) else None
    depth, plays = 1 if mode == "1" else 8, _plays(header, info, path)
    silent = isinstance(decoded, Pillow.Image) and bool(decoded.info.pop(SILENT, False))
    return frames, Details(info.get("icc_profile"), info.get("exif"), iptc, space, depth, plays, silent=silent)


def _decoded(path: Path, file: ImageFile.ImageFile, header: Header, n: int) -> Pillow.Image | Packed | None:
    decoder = _DECODERS.get(header.format)
    return decoder(path, file.mode, file.size, n) if decoder else None


def _plays(header: Header, info: dict[str | tuple[int, int], Any], path: Path) -> int:
    """How often an animation runs. A GIF says how often it is repeated, 0 for ever, or nothing."""
    if plays := FORMATS[header.format].plays:
        with OpenedFile(path) as source:
            return plays(source)
    if header.format != "gif":
        return int(info.get("loop", 0))
    repeats = info.get("loop")
    return 1 if repeats is None else int(repeats) and int(repeats) + 1


def _loaded(path: Path, file: ImageFile.ImageFile, header: Header, wanted: range, n: int) -> list[Frame]:
    """The frames as Pillow decodes them, whose libjpeg keeps its warnings to itself."""
    if n < 8:
        file.draft(None, (max(1, file.width * n // 8), max(1, file.height * n // 8)))
    frames = []
    for index in wanted:
        file.seek(index)
        if file.width * file.height > (Pillow.MAX_IMAGE_PIXELS or 0):  # a page of a TIFF may differ from the first
            raise TooLarge("the image has more pixels than its header said")
        transparency.widen(file)
        file.load()
        frames.append(Frame(_plain(file, header, path), int(file.info.get("duration", 0))))
    return frames


def _plain(file: ImageFile.ImageFile, header: Header, path: Path) -> Pillow.Image:
    """The frame as a copy in a mode of `Frame`; an AVIF as it is shown, whose orientation Pillow makes of EXIF or XMP.

    The orientation of the other formats is in the header, and is applied later.
    """
    image: Pillow.Image = turning.upright(file, path) if header.format == "avif" else file
    if header.frames > 1:
        image = image.copy()  # the next frame is drawn over this one
    clear = "transparency" in file.info
    if image.mode in ("1", "L"):
        image = image.convert("LA" if clear else "L")
    elif image.mode not in ("LA", "RGB", "RGBA", "CMYK") or (image.mode == "RGB" and clear):
        image = image.convert("RGBA" if clear or image.mode == "PA" else "RGB")
    # The pixels, and none of `info`, whose comment and profile Pillow's encoders would write again.
    return wrapped(image.im)
