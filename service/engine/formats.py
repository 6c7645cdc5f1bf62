"""The formats: one row for each, with all that the engine must know of it. `format_row` says what the columns mean.

What names and nginx must know of a format (its words, content type, transparency, animation, quality, longest side) is
its row in gateway/vocabulary.json, under the same word. No fact stands in both.

A row names functions that need Pillow or ImageMagick by reference, `package.module:function`, since the service reads
this table too and loads neither; `functions` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from service.engine.format_row import Format
from service.engine.headers import bmp, gif, ico, isobmff, jpeg, jxl, movie, png, tiff, webp

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
