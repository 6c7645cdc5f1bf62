"""Recognition against what Pillow makes of the same bytes, and against files that are broken on purpose."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from service.engine.headers.source import CHUNK
from service.engine.job import Header, NotAnImage, Undecodable
from service.engine.recognise import missing_part, recognise
from tests import images
from tests.counts import examples
from tests.images import png_chunk
from tests.waiting import little_work

WHOLE: dict[str, tuple[str, bytes]] = {
    "jpeg": ("jpg", images.jpeg()),
    "jpeg_progressive": ("jpg", images.jpeg(progressive=True, exif=images.exif())),
    "jpeg_restarts": ("jpg", images.jpeg(restart_marker_rows=1)),
    "jpeg_gray": ("jpg", images.jpeg_gray()),
    "jpeg_cmyk": ("jpg", images.jpeg_cmyk()),
    "jpeg_1x1": ("jpg", images.jpeg(images.flat(1, 1))),
    "png": ("png", images.png(images.photo(90, 70))),
    "png_alpha": ("png", images.png_alpha(90, 70)),
    "png_palette": ("png", images.png_palette()),
    "png_transparent_palette": ("png", images.png_palette(transparent=True)),
    "png_16bit": ("png", images.png_16bit(90, 70)),
    "webp": ("webp", images.webp()),
    "webp_lossless": ("webp", images.webp(lossless=True)),
    "webp_alpha": ("webp", images.webp_alpha()),
    "webp_lossless_alpha": ("webp", images.webp_alpha(lossless=True)),
    "webp_animated": ("webp", images.webp_animated()),
    "webp_animated_alpha": ("webp", images.webp_animated(alpha=True)),
    "gif": ("gif", images.gif()),
    "gif_transparent": ("gif", images.gif_transparent()),
    "gif_animated": ("gif", images.gif_animated(count=7, disposal=2)),
    "tiff": ("tif", images.tiff()),
    "tiff_alpha": ("tif", images.tiff(images.photo_alpha(90, 70))),
    "tiff_big": ("tif", images.tiff(big_tiff=True)),
    "tiff_pages": ("tif", images.tiff_pages(4)),
    "bmp": ("bmp", images.bmp()),
    "bmp_alpha": ("bmp", images.bmp_alpha()),
    "ico": ("ico", images.ico()),
    "avif": ("avif", images.avif()),
    "avif_alpha": ("avif", images.avif_alpha()),
}


@pytest.fixture
def look(tmp_path: Path) -> Callable[[bytes], Header]:
    """Recognise these bytes."""
    path = tmp_path / "image"

    def of(data: bytes) -> Header:
        path.write_bytes(data)
        return recognise(path)

    return of


@pytest.fixture
def lack(tmp_path: Path) -> Callable[[bytes], str | None]:
    """What these bytes lack."""
    path = tmp_path / "image"

    def of(data: bytes) -> str | None:
        path.write_bytes(data)
        return missing_part(path)

    return of


@pytest.mark.parametrize("name", WHOLE)
def test_format_size_frames_and_alpha_are_what_pillow_finds(
    name: str, look: Callable[[bytes], Header], lack: Callable[[bytes], str | None]
) -> None:
    expected, data = WHOLE[name]
    with Image.open(io.BytesIO(data)) as image:
        frames, size = getattr(image, "n_frames", 1), image.size
        alpha = image.has_transparency_data
    assert look(data) == Header(expected, *size, frames=frames, alpha=alpha)
    assert lack(data) is None


def test_a_gif_is_transparent_where_a_later_frame_is(look: Callable[[bytes], Header]) -> None:
    data = images.gif_animated(disposal=0)  # the first frame is opaque, the rest say only what changed
    assert look(data) == Header("gif", 96, 72, frames=5, alpha=True)


def test_heic_is_told_from_avif(look: Callable[[bytes], Header], lack: Callable[[bytes], str | None]) -> None:
    data = images.heic(images.photo(200, 120))
    assert look(data) == Header("heic", 200, 120)
    assert lack(data) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_found_and_size_is_as_stored(
    kind: str, orientation: int, look: Callable[[bytes], Header]
) -> None:
    header = look(images.oriented(orientation, kind, images.quadrants(64, 48)))
    stored = (48, 64) if orientation >= 5 else (64, 48)
    assert (header.orientation, header.width, header.height) == (orientation, *stored)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_has_no_orientation_for_its_decoder_turns_it(orientation: int, look: Callable[[bytes], Header]) -> None:
    data = images.oriented(orientation, "AVIF", images.quadrants(64, 48))
    assert look(data) == Header("avif", 64, 48)


def test_an_exif_block_of_the_other_byte_order_is_read(look: Callable[[bytes], Header]) -> None:
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 8, 0, 0)
    assert look(images.jpeg(exif=block)).orientation == 8


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_out_of_range_is_upright(value: int, look: Callable[[bytes], Header]) -> None:
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, value, 0, 0)
    assert look(images.jpeg(exif=block)).orientation == 1


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0nonsense at length"])
def test_a_broken_exif_block_does_not_hide_the_image(block: bytes, look: Callable[[bytes], Header]) -> None:
    assert look(images.jpeg(exif=block)).orientation == 1


def test_an_apng_has_its_frames(look: Callable[[bytes], Header]) -> None:
    assert look(images.apng(count=5)).frames == 5


def test_gif_frames_beyond_the_screen_do_not_make_it_larger(look: Callable[[bytes], Header]) -> None:
    data = bytearray(images.gif(40, 30))
    data[6:10] = struct.pack("<HH", 1, 1)
    header = look(bytes(data))
    assert (header.width, header.height) == (1, 1)


def test_a_gif_frame_that_leaves_screen_uncovered_is_transparent_there(look: Callable[[bytes], Header]) -> None:
    data = bytearray(images.gif(40, 30))
    data[6:10] = struct.pack("<HH", 60, 50)
    assert look(bytes(data)) == Header("gif", 60, 50, alpha=True)


def test_an_icon_is_as_large_as_its_largest_picture_really_is(look: Callable[[bytes], Header]) -> None:
    data = bytearray(images.ico((16, 48)))
    data[6:8] = data[22:24] = b"\x01\x01"  # both entries claim 1 by 1
    assert look(bytes(data)) == Header("ico", 48, 48, alpha=True)


def test_the_largest_claims_are_read_without_memory_or_time(look: Callable[[bytes], Header]) -> None:
    claims = struct.pack(">HH", 64250, 64250)
    jpeg = bytearray(images.jpeg(images.flat()))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = claims
    assert look(bytes(jpeg)) == Header("jpg", 64250, 64250)
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 6, 0, 0, 0))
    assert look(png) == Header("png", 2**31 - 1, 2**31 - 1, alpha=True)


def test_frames_of_a_flood_are_all_counted(look: Callable[[bytes], Header]) -> None:
    one = images.gif(1, 1)
    start = 13 + 3 * 2 ** ((one[10] & 7) + 1)  # behind the colour table
    frame = one[start:-1]
    assert look(one[:start] + frame * 20_000 + b";").frames == 20_000


def test_tiff_directories_that_loop_are_each_counted_once(look: Callable[[bytes], Header]) -> None:
    data = bytearray(images.tiff(images.flat(8, 8)))
    first = int.from_bytes(data[4:8], "little")
    end = first + 2 + 12 * int.from_bytes(data[first : first + 2], "little")
    data[end : end + 4] = data[4:8]
    assert look(bytes(data)).frames == 1


def test_camera_raw_files_in_tiff_are_no_images_of_ours(look: Callable[[bytes], Header]) -> None:
    dng = images.tiff(images.flat(8, 8), tiffinfo={50706: b"\1\4\0\0"})
    for data in (dng, b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 50):
        with pytest.raises(NotAnImage, match="raw"):
            look(data)


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- hello -->\n<SVG/>", "SVG"),
        (b"push graphic-context\nimage over 0,0 0,0 'label:@/etc/passwd'\npop graphic-context", "MVG"),
        (b"viewbox 0 0 100 100 fill 'url(https://example.com/a.jpg)'", "MVG"),
        (b"<?xml version='1.0'?><image><read filename='/etc/passwd'/></image>", "MSL"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"<?xml version='1.0'?><feed/>", "XML"),
        (b"BM is how this text begins, and it goes on a little.", "text"),
        (b"PK\x03\x04 and so on", "zip"),
        (b"\0\0\0\x1cftypisom\0\0\0\0isommp42", "video"),
        (b"\x8aMNG\r\n\x1a\n", "MNG"),
        (b"P6\n2 2\n255\n" + b"\0" * 12, "PNM"),
        (bytes(range(256)), "known here$"),
    ],
)
def test_what_is_no_image_of_ours_is_named(data: bytes, looks: str, look: Callable[[bytes], Header]) -> None:
    with pytest.raises(NotAnImage, match=looks) as caught:
        look(data)
    assert str(caught.value).startswith("Not an image of a kind known here")


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_cut_short_is_incomplete_or_undecodable(
    name: str, look: Callable[[bytes], Header], lack: Callable[[bytes], str | None]
) -> None:
    _, data = WHOLE[name]
    for sixteenth in range(1, 16):
        cut = data[: len(data) * sixteenth // 16]
        try:
            look(cut)
        except Undecodable:
            continue
        assert lack(cut), f"{sixteenth}/16"


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif_animated", "bmp", "tiff", "ico"])
def test_what_follows_the_end_does_not_make_a_file_incomplete(
    name: str, look: Callable[[bytes], Header], lack: Callable[[bytes], str | None]
) -> None:
    _, data = WHOLE[name]
    longer = data + b"PK\x03\x04 an archive behind the image"
    assert look(longer) == look(data)
    assert lack(longer) is None


@pytest.mark.parametrize("name", WHOLE)
def test_damage_raises_nothing_but_what_is_documented(name: str, tmp_path: Path) -> None:
    """Files with bytes overwritten near the start, where the structure is, and cut anywhere."""
    _, data = WHOLE[name]
    random, path = Random(name), tmp_path / "image"
    for _ in range(examples(70)):
        damaged = bytearray(data)
        reach = random.choice((32, 256, len(data)))
        for _ in range(random.randrange(1, 8)):
            damaged[random.randrange(min(reach, len(data)))] = random.choice(
                (0, 1, 0x7F, 0x80, 0xFF, random.randrange(256))
            )
        path.write_bytes(damaged[: random.choice((len(data), random.randrange(len(data))))])
        try:
            with little_work():
                header = recognise(path)
                missing_part(path)
        except (NotAnImage, Undecodable) as error:
            assert str(path) not in str(error)
        else:
            assert header.width > 0 and header.height > 0 and header.frames > 0 and header.orientation in range(1, 9)


def test_a_large_jpeg_is_recognised_without_reading_its_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pread, lengths = os.pread, list[int]()

    def counting(descriptor: int, count: int, offset: int) -> bytes:
        lengths.append(len(content := pread(descriptor, count, offset)))
        return content

    noise = np.random.default_rng(1).integers(0, 256, (1500, 2000, 3), np.uint8)
    path = tmp_path / "image"
    path.write_bytes(images.jpeg(noise, quality=100))
    assert path.stat().st_size > 5_000_000
    monkeypatch.setattr(os, "pread", counting)
    recognise(path)
    assert 0 < sum(lengths) < 2 * CHUNK
