"""Every format in and out, decoded by others to the same picture."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from service.engine.job import Limits, TooLarge, Undecodable, Unsatisfiable
from service.engine.pipeline import capabilities
from tests import images
from tests.engine.deriving import derive, ssim, verify

STILL = ["jpeg", "png", "png_palette", "webp", "gif", "tiff", "bmp", "avif", "apng", "tiff_pages"]
OUT = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF", "tif": "TIFF", "bmp": "BMP"}
LOSSLESS = ("png", "tif", "bmp")


@pytest.mark.parametrize("name", STILL)
def test_every_format_in_gives_the_picture_that_others_see(name: str) -> None:
    data = getattr(images, name)()
    made = derive(data, "", "png" if name not in ("png", "png_palette", "apng") else "bmp").pixels()
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert made.shape == expected.shape
    assert ssim(made, expected) > 0.995


def test_heic_gives_the_picture_that_was_stored() -> None:
    made = derive(images.heic(), "", "png").pixels()
    assert np.abs(made - images.photo()).mean() < 4
    assert ssim(made, images.photo()) > 0.85


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("kind", OUT)
def test_every_format_out_is_what_it_says_and_shows_the_picture(kind: str, library: str) -> None:
    made = derive(images.png(), "w=200", kind, library=library)
    reference = np.asarray(Image.fromarray(images.photo()).resize((200, 150), Image.Resampling.LANCZOS))
    assert made.pillow().format == OUT[kind]
    assert (made.result.format, made.result.width, made.result.height) == (kind, 200, 150)
    assert made.result.bytes == len(made.data)
    assert ssim(made.pixels(), reference) > {"gif": 0.75}.get(kind, 0.9)
    if kind in LOSSLESS:
        assert np.abs(made.pixels() - reference).max() <= 2  # coefficients of libvips have 6 bits


@pytest.mark.parametrize("kind", OUT)
def test_the_same_job_gives_the_same_bytes(kind: str) -> None:
    assert derive(images.png_alpha(), "w=100,rot=7", kind).data == derive(images.png_alpha(), "w=100,rot=7", kind).data


@pytest.mark.parametrize("kind", ["png", "webp", "avif", "tif", "gif"])
def test_formats_with_transparency_keep_it(kind: str) -> None:
    alpha = derive(images.png_alpha(), "w=160", kind, quality=95).pixels("RGBA")[..., 3]
    assert alpha[0, 0] == 0
    assert alpha[60, 80] == 255


@pytest.mark.parametrize("name", ["png_alpha", "webp_alpha", "gif_transparent", "bmp_alpha", "avif_alpha", "ico"])
def test_transparency_in_any_format_is_seen(name: str) -> None:
    data = getattr(images, name)()
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 3].astype(int)
    made = derive(data, "", "tif").pixels("RGBA")[..., 3]
    assert np.abs(made - expected).max() <= 2


@pytest.mark.parametrize("kind", ["jpg", "bmp"])
@pytest.mark.parametrize(("bg", "expected"), [("", 255), (",bg=000000", 0), (",bg=80808000", 128)])
def test_transparency_that_a_format_cannot_hold_shows_the_background(kind: str, bg: str, expected: int) -> None:
    made = derive(images.png_alpha(), f"w=80{bg}", kind, quality=95)
    assert np.abs(made.pixels()[0, 0] - expected).max() <= 4


@pytest.mark.parametrize(("kind", "off"), [("webp", 0), ("jxl", 0), ("avif", 3)])
def test_lossless_keeps_every_pixel_but_for_the_rounding_of_avif_to_luma_and_chroma(kind: str, off: int) -> None:
    """Of colours by chance, which saturated ones are among."""
    colours = np.random.default_rng(1).integers(0, 256, (160, 160, 3), np.uint8)
    made = derive(derive(images.png(colours), "lossless=1", kind).data, "", "png").pixels()
    assert np.abs(made - colours).max() <= off


def test_webp_at_quality_100_is_still_lossy() -> None:
    assert b"VP8L" not in derive(images.png(), "q=100", "webp").data


def test_a_lower_quality_takes_fewer_bytes() -> None:
    for kind in ("jpg", "webp", "avif"):
        assert derive(images.png(), "q=30", kind).result.bytes < derive(images.png(), "q=90", kind).result.bytes


def test_the_quality_of_the_configuration_is_taken_where_the_recipe_has_none() -> None:
    assert derive(images.png(), "", "jpg", quality=33).data == derive(images.png(), "q=33", "jpg").data


def test_a_page_of_a_tiff_is_a_frame() -> None:
    data = images.tiff_pages()
    with Image.open(io.BytesIO(data)) as file:
        file.seek(2)
        expected = np.asarray(file.convert("RGB")).astype(int)
    assert np.abs(derive(data, "frame=2", "png").pixels() - expected).max() == 0


def test_the_largest_image_of_an_icon_is_taken() -> None:
    made = derive(images.ico((16, 48, 32)), "", "png")
    assert (made.result.width, made.result.height) == (48, 48)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif", "gif_animated", "webp_animated"])
@pytest.mark.parametrize("part", [0.6, 0.97])
def test_a_file_that_ends_too_soon_is_refused(name: str, part: float) -> None:
    data = getattr(images, name)()
    cut = data[: int(len(data) * part)]
    with pytest.raises(Undecodable):
        verify(cut)
    with pytest.raises(Undecodable):
        derive(cut, "w=20", "png")


def test_a_truncated_jpeg_is_shown_as_far_as_it_goes_where_that_is_tolerated() -> None:
    data = images.jpeg()
    made = derive(data[: len(data) * 2 // 3], "", "png", tolerant=True)
    assert ssim(made.pixels()[:100], images.photo()[:100]) > 0.8


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif", "webp_animated", "gif_animated"])
def test_a_whole_file_passes(name: str) -> None:
    result = verify(getattr(images, name)())
    assert result.width * result.height > 0
    assert result.frames == (5 if "animated" in name else 1)


def test_too_many_pixels_or_frames_are_refused_before_decoding() -> None:
    with pytest.raises(TooLarge):
        derive(images.png(), "w=10", "png", limits=Limits(320 * 240 - 1, 10, 4096, 4096))
    with pytest.raises(TooLarge):
        verify(images.gif_animated(count=5), limits=Limits(10**8, 4, 4096, 4096))


@pytest.mark.parametrize("recipe", ["w=101,h=50,up=1,fit=fill", "rot=45", "h=100,up=1"])
def test_a_result_beyond_the_limits_is_refused(recipe: str) -> None:
    with pytest.raises(TooLarge):
        derive(images.png(images.photo(80, 70)), recipe, "png", limits=Limits(10**8, 10, 100, 100))


def test_an_original_beyond_the_limits_of_results_may_be_had_whole() -> None:
    assert derive(images.png(), "gray=1", "webp", limits=Limits(10**8, 10, 100, 100)).result.width == 320


def test_a_frame_that_is_not_there_cannot_be_had() -> None:
    with pytest.raises(Unsatisfiable, match="5"):
        derive(images.gif_animated(count=5), "frame=5", "png")


def test_capabilities_tell_what_can_be_read_and_written_here() -> None:
    told = capabilities()
    assert set(told) >= {*OUT, "heic", "ico"}
    assert all(told[kind] == (True, True) for kind in OUT)
    assert told["ico"] == (True, False)


def test_a_jpeg_that_holds_several_pictures_shows_the_first() -> None:
    buffer = io.BytesIO()
    first, second = Image.fromarray(images.photo()), Image.fromarray(images.photo(seed=2))
    first.save(buffer, "MPO", save_all=True, append_images=[second], quality=95)
    assert ssim(derive(buffer.getvalue(), "", "png").pixels(), images.photo()) > 0.85
    assert len(derive(buffer.getvalue(), "", "jpg").data) < len(buffer.getvalue()) * 0.6


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("plain", [images.png(), images.png_16bit()], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize(("kind", "head"), [(b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")])
def test_long_texts_in_a_png_do_not_hinder_and_endless_ones_are_refused(
    library: str, plain: bytes, kind: bytes, head: bytes
) -> None:

    def with_text(length: int) -> bytes:
        return plain[:33] + images.png_chunk(kind, head + zlib.compress(b"x" * length)) + plain[33:]

    assert derive(with_text(2 << 20), "w=50", "webp", library=library).result.width == 50
    with pytest.raises(Undecodable):
        derive(with_text(40 << 20), "w=50", "webp", library=library)


@pytest.mark.parametrize("length", [0, 1, 100, None])
def test_a_bmp_need_not_know_its_length_nor_end_where_its_pixels_do(length: int | None) -> None:
    data, more = images.bmp(), images.bmp(images.flat(80, 60))
    said = len(data) if length is None else length
    made = derive(data[:2] + struct.pack("<I", said) + data[6:] + more, "", "png")
    assert np.array_equal(made.pixels(), images.pixels(data))
    with pytest.raises(Undecodable):
        derive(data[:-200], "", "png")
