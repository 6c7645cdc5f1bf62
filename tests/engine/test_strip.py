"""Stripping: pixels stay, everything else goes. Pillow and ImageMagick decode, exiftool looks for what is left."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageSequence
from wand.image import Image as WandImage

from service.engine.job import NotAnImage, Undecodable
from service.engine.recognise import missing_part, recognise
from service.engine.strip import strip
from tests import images, metadata, profiles
from tests.counts import examples
from tests.waiting import little_work

pytestmark = pytest.mark.slow

P3 = profiles.display_p3()
WHOLE: dict[str, tuple[str, bytes]] = {
    "baseline": ("jpg", images.jpeg()),
    "progressive": ("jpg", images.jpeg(progressive=True, icc_profile=P3)),
    "restarts": ("jpg", images.jpeg(restart_marker_rows=1)),
    "gray": ("jpg", images.jpeg_gray()),
    "cmyk": ("jpg", images.jpeg_cmyk(icc_profile=profiles.cmyk())),
    "ycck": ("jpg", images.jpeg_ycck()),
    "png": ("png", images.png(icc_profile=P3)),
    "png_alpha": ("png", images.png_alpha()),
    "png_palette": ("png", images.png_palette(transparent=True)),
    "png_gray": ("png", images.png_gray()),
    "png_16bit": ("png", images.png_16bit(alpha=True)),
    "apng": ("png", images.apng()),
    "webp": ("webp", images.webp()),
    "webp_profile": ("webp", images.webp(icc_profile=P3)),
    "webp_alpha": ("webp", images.webp_alpha(exif=images.exif())),
    "webp_lossless": ("webp", images.webp_alpha(lossless=True)),
    "webp_animated": ("webp", images.webp_animated(delays=[50, 100, 150, 200, 250], loop=3, alpha=True)),
    "avif": ("avif", images.avif(icc_profile=P3)),
    "avif_alpha": ("avif", images.avif_alpha()),
    "avif_moving": (
        "avif",
        images.animation(images.moving(alpha=True), "AVIF", duration=[40, 70, 70, 40, 90], speed=9),
    ),
    "tif": ("tif", images.tiff()),
    "tif_jpeg": ("tif", images.tiff(compression="jpeg", icc_profile=P3)),
    "tif_deflate": ("tif", images.tiff(compression="tiff_adobe_deflate", strip_size=9000)),
    "tif_lzw_16bit": ("tif", images.tiff(images.photo()[..., 0].astype("u2") * 257, compression="tiff_lzw")),
    "gif": ("gif", images.gif()),
    "gif_animated": ("gif", images.gif_animated(delays=[50, 100, 150, 200, 250], loop=3, disposal=[1, 2, 3, 1, 2])),
    "gif_once": ("gif", images.gif_animated(loop=None, alpha=True)),
}


UNREAD = ("avif_moving",)  # by ImageMagick 6
WITH_SECRETS = ("cmyk", "progressive", "apng", "png", "webp", "webp_animated", "gif_animated", "avif_moving")


@pytest.fixture(scope="module")
def with_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files with a secret in every field that exiftool can write."""
    folder = tmp_path_factory.mktemp("secrets")
    for name in WITH_SECRETS:
        kind, data = WHOLE[name]
        (folder / f"{name}.{kind}").write_bytes(data)
    metadata.write_secrets(*folder.iterdir())
    return folder


def frames(data: bytes) -> list[tuple[bytes, object]]:
    """Pixels and duration of every frame, the loop count last."""
    with Image.open(io.BytesIO(data)) as image:
        shown = [
            (frame.convert("RGBA").tobytes(), frame.info.get("duration")) for frame in ImageSequence.Iterator(image)
        ]
        return [*shown, (b"", image.info.get("loop"))]


def samples(data: bytes) -> bytes:
    """What ImageMagick decodes of the first frame, in the samples of the file."""
    with WandImage(blob=data) as image:
        channels = "CMYK" if image.colorspace == "cmyk" else "RGBA"
        return bytes(image.make_blob(channels))


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_no_secret_is_left(name: str, with_secrets: Path, tmp_path: Path) -> None:
    kind, data = WHOLE[name]
    source, target = with_secrets / f"{name}.{kind}", tmp_path / f"target.{kind}"
    assert metadata.secrets(source.read_bytes())
    assert strip(source, target, recognise(source))
    assert metadata.secrets(target.read_bytes()) == []
    assert metadata.tags(target) == {}
    assert frames(target.read_bytes()) == frames(source.read_bytes()) == frames(data)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Every file, and its copy without metadata, where one was made."""
    folder, found = tmp_path_factory.mktemp("copies"), {}
    for name, (kind, data) in WHOLE.items():
        found[name] = folder / f"{name}.{kind}", folder / f"{name}-stripped.{kind}"
        found[name][0].write_bytes(data)
        strip(*found[name], recognise(found[name][0]))
    return found


@pytest.fixture(scope="module")
def left(copies: dict[str, tuple[Path, Path]]) -> dict[str, dict[str, str]]:
    """What exiftool finds in each copy."""
    made = {name: target for name, (_, target) in copies.items() if target.exists()}
    return dict(zip(made, metadata.tags_of(list(made.values())), strict=True))


@pytest.mark.parametrize("name", WHOLE)
def test_no_pixel_and_no_timing_changes(
    name: str, copies: dict[str, tuple[Path, Path]], left: dict[str, dict[str, str]]
) -> None:
    (_, data), (source, target) = WHOLE[name], copies[name]
    assert frames(target.read_bytes()) == frames(data)
    if name not in UNREAD:
        assert samples(target.read_bytes()) == samples(data)
    assert left[name] == {}
    assert missing_part(target) is None
    assert recognise(target) == recognise(source)


@pytest.mark.parametrize("name", WHOLE)
def test_stripping_twice_is_stripping_once(name: str, stripped: Callable[..., bytes]) -> None:
    once = stripped(WHOLE[name][1])
    assert stripped(once) == once


@pytest.mark.parametrize("name", WHOLE)
def test_an_archive_behind_the_image_goes(name: str, stripped: Callable[..., bytes]) -> None:
    _, data = WHOLE[name]
    assert stripped(data + b"PK\x03\x04 hidden" * 10) == stripped(data)


@pytest.mark.parametrize("make", [images.bmp, images.heic, images.ico])
def test_formats_that_need_encoding_are_left_alone(make: Callable[[], bytes], tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(make())
    assert not strip(source, target, recognise(source))
    assert not target.exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_stored_turned_is_left_alone(kind: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(images.oriented(6, kind))
    assert not strip(source, target, recognise(source))
    assert not target.exists()


@pytest.mark.parametrize("name", [name for name in WHOLE if WHOLE[name][0] != "tif"])
def test_a_file_cut_short_is_refused_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    _, data = WHOLE[name]
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    header, random = recognise(source), Random(name)
    for length in [len(data) - 1, *(random.randrange(len(data)) for _ in range(60))]:
        source.write_bytes(data[:length])
        with pytest.raises(Undecodable):
            strip(source, target, header)
        assert target.read_bytes() == b""


@pytest.mark.parametrize("name", WHOLE)
def test_damage_raises_nothing_but_undecodable(name: str, tmp_path: Path) -> None:
    """Whatever comes out is structurally whole, can be stripped again, and then is the same."""
    _, data = WHOLE[name]
    source, target, again = tmp_path / "source", tmp_path / "target", tmp_path / "again"
    source.write_bytes(data)
    whole, random = recognise(source), Random(name)
    for _ in range(examples(150 if whole.format == "png" else 50)):  # of damaged PNGs few come through
        damaged = bytearray(data)
        reach = min(random.choice((64, 1024, len(data))), len(data))
        for _ in range(random.randrange(1, 6)):
            damaged[random.randrange(reach)] = random.choice((0, 1, 0xFF, random.randrange(256)))
        source.write_bytes(damaged)
        try:
            with little_work():
                header = recognise(source)
                if header.format != whole.format or header.width * header.height > 16 * whole.width * whole.height:
                    continue
                done = strip(source, target, header)
        except (Undecodable, NotAnImage):
            assert not target.exists() or target.read_bytes() == b""
            continue
        if done:
            assert strip(target, again, header)
            # A damaged JPEG is refused before it is stripped, and its coefficients may have no second form.
            assert again.read_bytes() == target.read_bytes() or whole.format == "jpg"
        target.unlink(missing_ok=True)


def test_memory_does_not_grow_with_a_png(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    noise = np.frombuffer(os.urandom(12_000_000), np.uint8).reshape(2000, 2000, 3)
    source.write_bytes(images.png(noise, compress_level=1))
    tracemalloc.start()
    try:
        assert strip(source, target, recognise(source))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
