"""What stays and what goes, part by part: JPEG segments, PNG chunks, GIF extensions, WebP flags, ICC profiles."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from service.engine.job import Undecodable
from service.engine.stripping import icc
from tests import images, profile_tables, profiles
from tests.images import png_chunk

P3 = profiles.display_p3()


def app(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def behind_start(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


@pytest.mark.parametrize(
    "segment",
    [
        app(0xE0, b"JFXX\0\x10" + images.jpeg(images.flat(8, 8))),
        app(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
        app(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        app(0xE2, b"MPF\0MM\0*\0\0\0\x08"),
        app(0xE2, b"ICC_PROFILE\0\1\2 the second part is missing"),
        app(0xE2, b"ICC_PROFILE\0\1\1 this is no profile at all"),
        app(0xEC, b"Ducky\0\1\0\4\0\0\0\x50"),
        app(0xED, b"Photoshop 3.0\x008BIM"),
        app(0xEE, b"something that is not Adobe's"),
        app(0xEF, b"anything"),
        app(0xFE, b"a comment"),
        app(0xF5, b"a reserved segment"),
    ],
)
def test_jpeg_segments_beyond_the_allow_list_go(segment: bytes, stripped: Callable[..., bytes]) -> None:
    jpeg = images.jpeg()
    assert stripped(behind_start(jpeg, segment)) == jpeg


def test_a_comment_between_scans_goes(stripped: Callable[..., bytes]) -> None:
    jpeg = images.jpeg(progressive=True)
    second = jpeg.index(b"\xff\xc4", jpeg.index(b"\xff\xda"))
    assert stripped(jpeg[:second] + app(0xFE, b"hidden") + jpeg[second:]) == jpeg


def test_the_thumbnail_of_jfif_goes_and_its_density_stays(stripped: Callable[..., bytes]) -> None:
    jpeg = images.jpeg(dpi=(300, 300))
    assert jpeg[2:4] == b"\xff\xe0"
    content = jpeg[6:18] + bytes([4, 4]) + b"\x42" * 48
    assert stripped(jpeg[:2] + app(0xE0, content) + jpeg[20:]) == jpeg


def test_adobe_keeps_nothing_but_the_transform(stripped: Callable[..., bytes]) -> None:
    jpeg = bytearray(images.jpeg_ycck())
    clean = stripped(bytes(jpeg))
    at = jpeg.index(b"Adobe")
    jpeg[at + 5 : at + 11] = b"hidden"
    assert stripped(bytes(jpeg)) == clean
    assert clean[clean.index(b"Adobe") + 11] == 2


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"tEXt", b"Comment\0hidden"),
        png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"hidden")),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
        png_chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0\0\0\0\0"),
        png_chunk(b"tIME", b"\x07\xea\1\1\1\1\1"),
        png_chunk(b"pHYs", struct.pack(">IIB", 3000, 3000, 1)),
        png_chunk(b"prVt", b"private"),
        png_chunk(b"gAMA", b"not of the right size"),
        png_chunk(b"iCCP", b"name\0\0" + zlib.compress(b"no profile")),
        png_chunk(b"iCCP", b"name\0\0not compressed"),
    ],
)
def test_png_chunks_beyond_the_allow_list_go_wherever_they_are(chunk: bytes, stripped: Callable[..., bytes]) -> None:
    png = images.png(images.flat())
    assert stripped(png[:33] + chunk + png[33:]) == png
    assert stripped(png[:-12] + chunk + png[-12:]) == png


def test_png_colour_chunks_stay(stripped: Callable[..., bytes]) -> None:
    png = images.png(images.flat())
    colour = png_chunk(b"gAMA", struct.pack(">I", 45455)) + png_chunk(b"cICP", b"\x0c\x0d\0\1")
    assert stripped(png[:33] + colour + png[33:]) == png[:33] + colour + png[33:]


def test_a_png_with_an_unknown_critical_chunk_is_refused(stripped: Callable[..., bytes]) -> None:
    png = images.png(images.flat())
    with pytest.raises(Undecodable, match="critical"):
        stripped(png[:33] + png_chunk(b"CgBI", b"\0\0\0\0") + png[33:])


def blocks_of(gif: bytes) -> int:
    """Where the blocks of a GIF begin, behind its global colour table."""
    return 13 + (3 << ((gif[10] & 7) + 1))


def test_gif_texts_and_applications_go_with_their_timing(stripped: Callable[..., bytes]) -> None:
    gif = images.gif(40, 30)
    at = blocks_of(gif)
    text = b"!\xf9\x04\0\x10\0\0\0!\x01\x0c" + bytes(12) + b"\x06hidden\0"
    xmp = b"!\xff\x0bXMP DataXMP\x04<x/>\0"
    comment = b"!\xfe\x06hidden\0"
    assert stripped(gif[:at] + text + comment + xmp + gif[at:-1] + comment + b";") == stripped(gif)


@pytest.mark.parametrize("name", [b"NETSCAPE2.0", b"ANIMEXTS1.0"])
def test_a_gif_keeps_its_loop_and_no_more_of_the_extension(name: bytes, stripped: Callable[..., bytes]) -> None:
    gif = images.gif_animated(loop=None)
    at = blocks_of(gif)
    loop = b"!\xff\x0b" + name + b"\x03\x01\x07\0"
    clean = stripped(gif)
    assert stripped(gif[:at] + loop + b"\x06hidden\0" + gif[at:]) == clean[:at] + loop + b"\0" + clean[at:]


def test_webp_flags_tell_what_is_left(stripped: Callable[..., bytes]) -> None:
    data = stripped(images.webp_alpha(exif=images.exif(), xmp=b"<x/>", icc_profile=profiles.srgb()))
    assert data[12:16] == b"VP8X"
    assert data[20] == 0x10  # alpha alone
    assert int.from_bytes(data[4:8], "little") + 8 == len(data)
    assert b"EXIF" not in data and b"XMP " not in data and b"ICCP" not in data


@pytest.mark.parametrize("make", [images.jpeg, images.png, images.webp])
def test_a_wide_profile_stays_unless_told_otherwise(make: Callable[..., bytes], stripped: Callable[..., bytes]) -> None:
    data = make(icc_profile=P3)
    with Image.open(io.BytesIO(stripped(data))) as image:
        assert image.info["icc_profile"] == icc.to_keep(P3)
    with Image.open(io.BytesIO(stripped(data, keep_icc=False))) as image:
        assert "icc_profile" not in image.info


@pytest.mark.parametrize("make", [images.jpeg, images.png, images.webp])
def test_the_profile_of_srgb_goes(make: Callable[..., bytes], stripped: Callable[..., bytes]) -> None:
    with Image.open(io.BytesIO(stripped(make(icc_profile=profiles.srgb())))) as image:
        assert "icc_profile" not in image.info


def test_what_hangs_on_behind_a_profile_goes(stripped: Callable[..., bytes]) -> None:
    with Image.open(io.BytesIO(stripped(images.jpeg(icc_profile=P3 + b"hidden" * 100)))) as image:
        assert image.info["icc_profile"] == icc.to_keep(P3)


def test_a_profile_of_many_parts_comes_out_whole(stripped: Callable[..., bytes]) -> None:
    large = profile_tables.profile(b"scnr", b"RGB ", b"Lab ", {"A2B0": profile_tables.mft2(3, 3, points=28)})
    with Image.open(io.BytesIO(stripped(images.jpeg(icc_profile=large)))) as image:
        assert image.info["icc_profile"] == icc.to_keep(large)
        assert len(image.info["icc_profile"]) > 2 * 65_519


def test_colours_look_the_same_without_the_profile_of_srgb(stripped: Callable[..., bytes]) -> None:
    data = images.jpeg(icc_profile=profiles.srgb())
    with Image.open(io.BytesIO(data)) as image:
        managed = ImageCms.profileToProfile(
            image, io.BytesIO(image.info["icc_profile"]), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    assert managed is not None
    difference = np.asarray(managed).astype(int) - images.pixels(stripped(data))
    assert np.abs(difference).max() <= 1
