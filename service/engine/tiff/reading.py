"""Kinds of TIFF that Pillow and ImageMagick read wrong or not at all, through libtiff.

What a photometric interpretation says of whole samples (RGB, gray, CMYK) is done here, so that extra samples mean what
their tag says, and deep ones keep their bits. YCbCr, palettes and samples of less than a byte libtiff makes RGB of.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine import pixels
from service.engine.blocks import block
from service.engine.headers import tiff
from service.engine.headers.source import OpenedFile, Source
from service.engine.headers.tiff import ASSOCIATED_ALPHA, EXTRA_SAMPLES, HEIGHT, UNASSOCIATED_ALPHA, WIDTH, Directory
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.picture import Details, Frame
from service.engine.tiff import inks, libtiff, samples
from service.engine.tiff.samples import BITS, COMPRESSION, PLANAR, SAMPLES

PHOTOMETRIC, ICC, IPTC, SUBSAMPLING = 262, 34675, 33723, 530
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
OLD_JPEG, JPEG = 6, 7
LONGEST_BLOCK = 16 << 20  # bytes of a profile or of IPTC
MOST_SAMPLES = 16

_CHANNELS = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, SEPARATED: 4}
_SPACES = {MIN_IS_WHITE: "gray", MIN_IS_BLACK: "gray", PALETTE: "srgb", SEPARATED: "cmyk"}


@dataclass(frozen=True, slots=True)
class Layout:
    """`channels` of colour, and the place of `alpha` among the samples of a pixel, None without; whether colours are
    multiplied by it."""

    photometric: int
    channels: int
    alpha: int | None
    associated: bool


def layout(page: Directory) -> Layout | None:
    """How samples make pixels, where that is what `samples` and this module can do; None for other kinds."""
    photometric, extra = page.number(PHOTOMETRIC), page.numbers(EXTRA_SAMPLES)
    channels = _CHANNELS.get(photometric, 0)
    count = page.number(SAMPLES) or 1
    if samples.code(page) is None or not 0 < channels <= count <= MOST_SAMPLES:
        return None
    place = next((i for i, kind in enumerate(extra) if kind in (ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA)), None)
    if place is None or channels + place >= count:
        return Layout(photometric, channels, None, False)
    return Layout(photometric, channels, channels + place, extra[place] == ASSOCIATED_ALPHA)


def needs(source: Source, index: int) -> bool:
    """Whether a page is of a kind that is read here. Raises Undecodable."""
    page = tiff.picture(source, index)
    if libtiff.library is None:
        return False
    return page.nested or _converted(page) or (layout(page) is not None and _assembled(page))


def _converted(page: Directory) -> bool:
    """Whether libtiff makes RGB of the page: YCbCr but in new-style JPEG, and few bits where 0 is white."""
    photometric, bits = page.number(PHOTOMETRIC), page.numbers(BITS)
    if page.number(COMPRESSION) == OLD_JPEG:
        return True
    if photometric == YCBCR:
        return page.number(COMPRESSION) != JPEG or page.number(PLANAR) == samples.APART
    return photometric == MIN_IS_WHITE and bits in ((2,), (4,))


def _assembled(page: Directory) -> bool:
    """Whether the page has more samples than Pillow and ImageMagick take rightly, or of a kind that they do not."""
    kind = layout(page)
    assert kind is not None
    code, apart = samples.code(page), page.number(PLANAR) == samples.APART
    extra = page.numbers(EXTRA_SAMPLES)
    straight = extra[:1] == (UNASSOCIATED_ALPHA,) and len(extra) == 1
    surplus = (page.number(SAMPLES) or 1) > kind.channels
    return (
        (surplus and (not straight or apart) and not (kind.associated and code != "B"))
        or (kind.photometric == MIN_IS_WHITE and code in ("I", "e", "f", "d"))
        or kind.photometric == SEPARATED
        or samples.is_signed(page)
        or (page.big and not page.little)
    )


def read(path: Path, _: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """One page. Raises Undecodable, and TooLarge where it has more pixels than the limits allow."""
    with OpenedFile(path) as source:
        page = tiff.picture(source, wanted.start)
        if page.number(WIDTH) * page.number(HEIGHT) > (Pillow.MAX_IMAGE_PIXELS or 0):
            raise TooLarge("the image has more pixels than its header said")
        kind = layout(page)
        frame = (
            Frame(_rgb(path, page, tolerant))
            if kind is None or _converted(page)
            else _frame(path, page, kind, tolerant)
        )
        icc, iptc = page.content(ICC, LONGEST_BLOCK), page.content(IPTC, LONGEST_BLOCK)
        if page.number(PHOTOMETRIC) == SEPARATED and not icc:
            icc = inks.profile()
        depth, space = max(page.numbers(BITS), default=1), _SPACES.get(page.number(PHOTOMETRIC), "srgb")
    return [frame], Details(icc or None, None, iptc or None, space, depth)


def second(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """As `read`, for a page that the usual reader refuses. Pillow gives up on tags of another type than the standard's,
    ImageMagick on a page that is 100 times as large as its file. libtiff stops at damage all the same."""
    if libtiff.library is None:
        raise Undecodable("the image is damaged")
    with OpenedFile(path) as source:
        page = tiff.picture(source, wanted.start)
    compression, parts, needed = page.number(COMPRESSION) or 1, samples.stated(page), samples.needed(page)
    if parts != needed:
        raise Undecodable(f"the TIFF is damaged: it has {parts} strips or tiles, and its size needs {needed}")
    if not libtiff.library.TIFFIsCODECConfigured(compression):
        raise Undecodable(f"the TIFF is of a kind that is not read here: its compression has the number {compression}")
    return read(path, header, wanted, n, tolerant)


def _rgb(path: Path, page: Directory, tolerant: bool) -> Pillow.Image:
    """What libtiff makes of a page: eight bits, opaque; gray where the samples are."""
    library, whole = libtiff.library, (page.number(WIDTH), page.number(HEIGHT))
    assert library is not None
    size = _reaching(page), whole[1]
    image, address = block("RGBA", size)
    orientation = tiff.orientation(page) or 1  # as it is stored, for it is turned later
    try:
        with libtiff.opened(path, page.offset) as handle:
            library.TIFFSetField(handle, WIDTH, size[0])
            read = library.TIFFReadRGBAImageOriented(handle, *size, address, orientation, 0 if tolerant else 1)
    except OSError as error:
        raise Undecodable("the image is damaged: libtiff does not read its directory") from error
    if not read and not tolerant:
        raise Undecodable("the TIFF is damaged, or of a kind that is not read here")
    image = image if size == whole else image.crop((0, 0, *whole))
    return image.convert("L" if _SPACES.get(page.number(PHOTOMETRIC)) == "gray" else "RGB")


def _reaching(page: Directory) -> int:
    """The width to read: of tiles of 4 by 4 subsampling all of the last, of whose rest libtiff skips a wrong part."""
    width, tile = page.number(WIDTH), page.number(tiff.TILE_WIDTH)
    return -(-width // tile) * tile if tile and page.numbers(SUBSAMPLING, 2) == (4, 4) else width


def _frame(path: Path, page: Directory, kind: Layout, tolerant: bool) -> Frame:
    wanted = [*range(kind.channels), *([] if kind.alpha is None else [kind.alpha])]
    planes = samples.planes(path, page, wanted, tolerant=tolerant)
    code = samples.code(page) or "B"
    if code == "B" and (kind.channels < 4 or kind.alpha is None):
        return Frame(_merged(planes, kind))
    names = {1: b"I", 3: b"RGB", 4: b"CMYK"}[kind.channels] + (b"A" if kind.alpha is not None else b"")
    image = pixels.deep(names, planes[0].size, _interleaved(planes, code), _stored(code))
    if kind.photometric == MIN_IS_WHITE:
        image.negate()
    return Frame(image)


def _merged(planes: list[Pillow.Image], kind: Layout) -> Pillow.Image:
    """Planes of eight bits as one image, alpha straight."""
    if kind.photometric == MIN_IS_WHITE:
        planes[0] = ImageChops.invert(planes[0])
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[kind.channels]
    if kind.alpha is None:
        return planes[0] if mode == "L" else Pillow.merge(mode, planes)
    straight = {"L": "LA", "RGB": "RGBA"}[mode]
    if not kind.associated:
        return Pillow.merge(straight, planes)
    associated = {"L": "La", "RGB": "RGBa"}[mode]
    return pixels.reinterpreted(Pillow.merge(straight, planes), associated).convert(straight)


def _stored(code: str) -> str:
    """The type of samples in a plane."""
    return "f" if code in "ed" else code


def _interleaved(planes: list[Pillow.Image], code: str) -> bytes:
    """The samples of all planes, pixel by pixel."""
    kind = _stored(code)
    count = len(planes)
    if count == 1:
        return planes[0].tobytes()
    values = array(kind, bytes(array(kind).itemsize * count * planes[0].width * planes[0].height))
    for channel, plane in enumerate(planes):
        values[channel::count] = array(kind, plane.tobytes())
    return values.tobytes()
