"""The row of a format: the columns of the table in `service.engine.formats`, and what they mean.

A column that names a function holds a reference, `package.module:function`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

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
