"""An image that does not fit into the memory of an engine process is refused as too large, and the next one is made."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from service.engine.job import EngineError, Header, Job, Limits, TooLarge, Undecodable
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.recognise import recognise
from service.engine.sandbox.policy import PolicyLimits, write_configuration
from tests import images

LIMITS = Limits(100_000_000, 500, 65535, 65535)
MEMORY = 16 << 20
LARGE = Image.new("RGB", (3000, 2200), 128)  # 20 MB at three bytes a pixel
FORMATS = ("jpg", "png", "webp", "avif", "jxl", "gif", "tif", "bmp")
FILES: dict[str, Callable[[], bytes]] = {
    "baseline.jpg": lambda: images.encode(LARGE, "JPEG"),
    "progressive.jpg": lambda: images.encode(LARGE, "JPEG", progressive=True),
    "plain.png": lambda: images.encode(LARGE, "PNG", compress_level=1),
    "deep.png": lambda: images.png_16bit(3600, 2600, gray=True),  # two bytes a pixel, the least that any version takes
    "lossy.webp": lambda: images.encode(LARGE, "WEBP", method=0),
    "lossless.webp": lambda: images.encode(LARGE, "WEBP", lossless=True, method=0),
    "plain.gif": lambda: images.encode(LARGE.convert("L"), "GIF"),
    "plain.tif": lambda: images.encode(LARGE, "TIFF"),
    "lzw.tif": lambda: images.encode(LARGE, "TIFF", compression="tiff_lzw"),
    "plain.bmp": lambda: images.encode(LARGE, "BMP"),
    "plain.heic": lambda: encoded("RGB", 1),
    "deep.heic": lambda: encoded("RGB;16", 2),
    "plain.avif": lambda: images.encode(LARGE, "AVIF", speed=10),
}


def encoded(mode: str, size: int) -> bytes:
    """LARGE as HEIC, its samples in so many bytes."""
    buffer = io.BytesIO()
    pillow_heif.from_bytes(mode, LARGE.size, bytes([128] * size) * (3 * LARGE.width * LARGE.height)).save(
        buffer, enc_params={"preset": "ultrafast"}
    )
    return buffer.getvalue()


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[EnginePool]:
    policy, work = tmp_path / "policy", tmp_path / "work"
    work.mkdir()
    write_configuration(policy, FORMATS, ("png",), PolicyLimits(MEMORY, LIMITS.pixels, 65535, LIMITS.frames))
    made = EnginePool(EngineSettings(1, MEMORY, 1000, 20, 8, policy, (work,), (work,)))
    await made.start()
    yield made
    await made.close()


async def verify(pool: EnginePool, file: Path, data: bytes, header: Header | None = None) -> EngineError | None:
    """Why it was refused, if it was. With a `header` it is taken for what that says."""
    file.write_bytes(data)
    try:
        await pool.run(Job("verify", str(file), header or recognise(file), LIMITS), affinity="")
    except EngineError as error:
        return error
    return None


async def test_an_image_that_does_not_fit_is_too_large(pool: EnginePool, tmp_path: Path) -> None:
    for name, made in FILES.items():
        refused = await verify(pool, tmp_path / "work" / name, made())
        assert isinstance(refused, TooLarge), (name, refused)
        assert "memory" in str(refused)
    assert await verify(pool, tmp_path / "work" / "small.jpg", images.jpeg()) is None


async def test_an_image_that_deceived_us_about_its_size_gets_no_more_memory_for_it(
    pool: EnginePool, tmp_path: Path
) -> None:
    data, file = bytearray(images.encode(LARGE.resize((4000, 4000)), "AVIF", speed=10)), tmp_path / "work" / "lie.avif"
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", 40, 30)  # of what decodes to 24 MB of luma and chroma
    refused = await verify(pool, file, bytes(data), Header("avif", 40, 30))
    assert isinstance(refused, TooLarge | Undecodable)
    assert await verify(pool, file, images.avif()) is None
