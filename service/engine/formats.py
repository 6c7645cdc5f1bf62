"""The formats: one row for each, with all that the engine must know of it.

What names and nginx must know of a format (its words, content type, transparency, animation, quality, longest side) is
its row in gateway/vocabulary.json, under the same word. No fact stands in both.

A row names functions that need Pillow or ImageMagick by reference, `package.module:function`, since the service reads
this table too and loads neither; `functions` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol

from service.engine.headers import bmp, gif, ico, isobmff, jpeg, jxl, movie, png, tiff, webp
from service.engine.headers.source import Source
from service.engine.job import Header

Library = Literal[
    "ImageMagick",
    "Pillow",
    "fast_image_resize",
    "libdeflate",
    "libjpeg-turbo",
    "libjxl",
    "libspng",
    "libvips",
    "libwebp",
    "pillow-heif",
]


class Parser(Protocol):
    """What a module of `service.engine.headers` offers."""

    def begins(self, head: bytes, source: Source, /) -> bool:
        """Return True if a file that begins with `head` is in the format, damaged or not."""

    def header(self, source: Source, /) -> Header:
        """Return what the header says. Raises Undecodable, and NotAnImage for a kind that is not read here."""

    def missing(self, source: Source, /) -> str | None:
        """Return what is missing of a file that ends too soon, None for a complete one."""


@dataclass(frozen=True, slots=True)
class Format:
    """What the engine must know of one format."""

    parser: Parser
    coder: str
    """The format's name in ImageMagick and in Pillow."""
    other_coders: tuple[str, ...] = ()
    """More names that ImageMagick's policy must allow: those that stand before the colon of a file's name."""
    module: str = ""
    """ImageMagick's loadable module that holds the coder, where it has another name than the coder."""
    pillow_feature: str = ""
    """What Pillow must have been built with to read or write the format, as `PIL.features` calls it."""

    reader: Library = "ImageMagick"
    """The library that reads the format in `auto`; docs/engine.md has the reasons, with figures."""
    decoder: str = ""
    """What decodes the pixels of a still image, where Pillow reads the rest of the file."""
    magick_reader: str = "service.engine.magick.reading:single"
    is_paged: bool = False
    """Whether ImageMagick is asked for one page by its number: of a BMP the first, whatever follows it."""
    fails_silently: bool = False
    """Whether Pillow's decoder fails for lack of memory in the same way as over damage."""
    magick_shows_more: bool = False
    """Whether ImageMagick shows more of a damaged image than Pillow, where damage is tolerated."""
    needs_own_reader: str = ""
    """Recognises the kinds that neither Pillow nor ImageMagick reads right, by the file and the number of the frame."""
    own_reader: str = ""
    """The reader of these kinds, with any `engine.library`."""
    second_reader: str = ""
    """Reads what the usual reader refuses although its pixels are all there."""
    library_reader: str = ""
    """The reader of a library that is neither Pillow nor ImageMagick."""
    judged: str = ""
    """What decodes a result to score it for `q=auto`, where Pillow does not."""
    decoders_differ: float = 0
    """By how much the scores of a result may differ between decoders that are all right."""
    planes_reader: str = ""
    """Reads a still, opaque image as luma and chroma, to be scaled so (`service.engine.rescale`)."""
    planes_writer: str = ""
    """Writes luma and chroma; what it returns is empty where its library is missing."""
    planes_rewriter: str = ""
    """Writes luma and chroma that a file of the same format held, where `planes_writer` does not."""
    full_chroma: int = 101
    """The quality from which on chroma has the size of luma, so that the format is not written from planes."""
    is_full_range: bool = False
    """Whether luma and chroma take all of 0..255 (JFIF), else 16..235 and 16..240 (ITU-R BT.601)."""
    profile: str = ""
    """Finds the ICC profile in a file that is read as luma and chroma."""
    stated: str = ""
    """Applies the colour that a file states by numbers, after decoding; empty where a file cannot state it, or the
    reader applies it."""
    delays: Callable[[Source], list[int]] | None = None
    """Reads the delay of each frame of an animation, in milliseconds."""
    longest_delay: int = 0
    """The longest delay of a frame that the format can state, in milliseconds; 0 where it holds no animation."""
    plays: Callable[[Source], int] | None = None
    """Reads how often an animation runs, 0 for ever, where Pillow does not say it."""

    writer: Library = "ImageMagick"
    """The library that writes the format in `auto`."""
    magick_writer: str = ""
    """By default the coder without options, `service.engine.magick.writing:plain`."""
    pillow_writer: str = ""
    """Empty where only ImageMagick writes the format."""
    has_profile: bool = False
    """Whether the format can carry an ICC profile."""
    has_wide_gamut: bool = False
    """Whether it may leave as Display P3, where the configuration wants that: a format that browsers show."""
    faithful_quality: int | None = None
    """The quality of `@full` where the original must be encoded once more: it is stored turned and cannot be set
    upright by its blocks, or the format has no lossless way. None for a format without a quality."""
    stripper: str = ""
    """Removes metadata without encoding; empty where the format has no such way."""

    exif: str = ""
    """Finds the EXIF of an original; empty where decoders hand it over."""
    provenance: str = ""
    """Yields the blocks that tell of an original's provenance; empty where the format has none."""
    embedder: str = ""
    """Puts provenance into an encoded image; empty where the format has no place for it."""

    mender: str = ""
    """Finds and mends the flaws of a file that has all of its pixels (`service.engine.flaws`)."""
    decoder_tells: str = ""
    """Returns True for a file of which `decoder` tells all that the mender would find, or more."""

    rounds: int = 0
    """Rounds of eviction that a derived image survives for what it costs to make again: milliseconds of CPU for one KiB
    of disk, measured with photographs of 640 pixels: JPEG and PNG 0.5, WebP 1.5, AVIF 2.5."""

    @property
    def coders(self) -> tuple[str, ...]:
        """All names of the format in ImageMagick."""
        return (self.coder, *self.other_coders)


FORMATS: Mapping[str, Format] = {
    "jpg": Format(
        jpeg,
        "JPEG",
        other_coders=("JPG", "PJPEG"),
        pillow_feature="jpg",
        reader="libjpeg-turbo",
        decoder="service.engine.jpeg.decode:decoded",
        planes_reader="service.engine.jpeg.planes:decoded",
        planes_writer="service.engine.jpeg.planes:write",
        full_chroma=90,
        is_full_range=True,
        profile="service.engine.stripping.jpeg:profile",
        writer="Pillow",
        magick_writer="service.engine.magick.writing:jpeg",
        pillow_writer="service.engine.writers:jpeg",
        has_profile=True,
        has_wide_gamut=True,
        faithful_quality=95,
        stripper="service.engine.jpeg.recode:pieces",
        provenance="service.engine.provenance.carriers:of_jpeg",
        embedder="service.engine.provenance.embedding:into_jpeg",
        mender="service.engine.flaws.jpeg:mend",
        decoder_tells="service.engine.flaws.jpeg:decoder_tells",
    ),
    "png": Format(
        png,
        "PNG",
        other_coders=("PNG8", "PNG24", "PNG32", "PNG48", "PNG64"),
        reader="libspng",
        decoder="service.engine.png.reading:decoded",
        delays=png.delays,
        longest_delay=65_535_000,
        needs_own_reader="service.engine.animation.apng:needs",
        own_reader="service.engine.animation.apng:read",
        stated="service.engine.stated:png",
        writer="libdeflate",
        magick_writer="service.engine.magick.writing:png",
        pillow_writer="service.engine.writers:png",
        has_profile=True,
        has_wide_gamut=True,
        stripper="service.engine.stripping.png:pieces",
        exif="service.engine.exif_carriers:of_png",
        provenance="service.engine.provenance.carriers:of_png",
        embedder="service.engine.provenance.embedding:into_png",
        mender="service.engine.flaws.png:mend",
    ),
    "webp": Format(
        webp,
        "WEBP",
        pillow_feature="webp",
        reader="libwebp",
        decoder="service.engine.webp.decoding:decoded",
        planes_reader="service.engine.webp.decoding:planes",
        planes_writer="service.engine.webp.encoding:write",
        planes_rewriter="service.engine.webp.encoding:rewrite",
        profile="service.engine.stripping.webp:profile",
        fails_silently=True,
        delays=webp.delays,
        longest_delay=(1 << 24) - 1,
        writer="libwebp",
        magick_writer="service.engine.magick.writing:webp",
        pillow_writer="service.engine.writers:webp",
        has_profile=True,
        has_wide_gamut=True,
        faithful_quality=95,
        stripper="service.engine.stripping.webp:pieces",
        provenance="service.engine.provenance.carriers:of_webp",
        embedder="service.engine.provenance.embedding:into_webp",
        mender="service.engine.flaws.webp:mend",
        rounds=1,
    ),
    "avif": Format(
        isobmff,
        "AVIF",
        module="HEIC",
        pillow_feature="avif",
        reader="Pillow",
        needs_own_reader="service.engine.avif.reading:needs",
        own_reader="service.engine.avif.reading:read",
        planes_writer="service.engine.avif.writing:write",
        is_full_range=True,
        stated="service.engine.stated:avif",
        delays=movie.delays,
        longest_delay=(1 << 32) - 1,
        plays=movie.plays,
        fails_silently=True,
        writer="Pillow",
        magick_writer="service.engine.magick.writing:avif",
        pillow_writer="service.engine.writers:avif",
        provenance="service.engine.provenance.carriers:of_heif",
        embedder="service.engine.provenance.embedding_heif:into_avif",
        mender="service.engine.flaws.avif:mend",
        has_profile=True,
        has_wide_gamut=True,
        faithful_quality=85,
        stripper="service.engine.stripping.avif:pieces",
        rounds=2,
    ),
    "jxl": Format(
        jxl,
        "JXL",
        reader="libjxl",
        library_reader="service.engine.jxl.reading:read",
        planes_writer="service.engine.photograph:write",
        full_chroma=85,  # 3 to 11 % fewer bytes from there on, for the same SSIMULACRA2, and up to 5 % more at 80
        is_full_range=True,
        decoders_differ=0.0015,  # some of libjxl's versions dither what they decode to 8 bits
        judged="service.engine.jxl.reading:judged",
        delays=jxl.delays,
        longest_delay=(1 << 32) - 1,
        exif="service.engine.exif_carriers:of_jxl",
        provenance="service.engine.provenance.carriers:of_jxl",
        embedder="service.engine.provenance.embedding:into_jxl",
        writer="libjxl",
        magick_writer="service.engine.magick.writing:jxl",
        pillow_writer="service.engine.jxl.writing:jxl",
        has_profile=True,
        has_wide_gamut=True,
        faithful_quality=95,
        rounds=1,
    ),
    "heic": Format(
        isobmff,
        "HEIC",
        reader="pillow-heif",
        library_reader="service.engine.heif:read",
        provenance="service.engine.provenance.carriers:of_heif",
        needs_own_reader="service.engine.heif_sequence:is_one",
        own_reader="service.engine.heif:read",
    ),
    "gif": Format(
        gif,
        "GIF",
        other_coders=("GIF87",),
        reader="Pillow",
        magick_shows_more=True,
        magick_reader="service.engine.magick.reading:gif",
        delays=gif.delays,
        longest_delay=655_350,
        needs_own_reader="service.engine.animation.gif:needs",
        own_reader="service.engine.animation.gif:read",
        magick_writer="service.engine.magick.writing:gif",
        stripper="service.engine.stripping.gif:pieces",
        provenance="service.engine.provenance.carriers:of_gif",
        embedder="service.engine.provenance.embedding:into_gif",
        mender="service.engine.flaws.gif:mend",
    ),
    "tif": Format(
        tiff,
        "TIFF",
        other_coders=("TIF", "TIFF64"),
        pillow_feature="libtiff",
        reader="Pillow",
        fails_silently=True,
        magick_shows_more=True,
        is_paged=True,
        writer="Pillow",
        needs_own_reader="service.engine.tiff.reading:needs",
        own_reader="service.engine.tiff.reading:read",
        second_reader="service.engine.tiff.reading:second",
        stripper="service.engine.tiff.stripping:pieces",
        provenance="service.engine.provenance.carriers:of_tiff",
        embedder="service.engine.provenance.embedding:into_tiff",
        mender="service.engine.flaws.tiff:mend",
        magick_writer="service.engine.magick.writing:tiff",
        pillow_writer="service.engine.writers:tiff",
        has_profile=True,
    ),
    "bmp": Format(
        bmp,
        "BMP",
        other_coders=("BMP2", "BMP3"),
        reader="Pillow",
        magick_shows_more=True,
        is_paged=True,
        writer="Pillow",
        needs_own_reader="service.engine.bmp.reading:needs",
        own_reader="service.engine.bmp.reading:read",
        magick_writer="service.engine.magick.writing:bmp",
        pillow_writer="service.engine.writers:bmp",
        mender="service.engine.flaws.bmp:mend",
    ),
    "ico": Format(
        ico, "ICO", other_coders=("ICON",), module="ICON", magick_reader="service.engine.magick.reading:icon"
    ),
}
"""By format word; those that go out too are in the vocabulary's `formats`, the others in its `only_originals`."""


def functions(reference: Callable[[Format], str]) -> dict[str, Any]:
    """The functions that the rows refer to, by format word, of the rows that refer to one."""
    return {word: _referred(name) for word, row in FORMATS.items() if (name := reference(row))}


def _referred(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
