"""What the sandbox denies is a fault of the gateway, and never taken for damage of an image."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from gateway.rules import FORMATS, ORIGINAL_FORMATS
from service.engine.job import EngineError, Header, Job, Limits, Malfunction, Undecodable
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox import seccomp
from service.engine.sandbox.denied import denial
from service.engine.sandbox.policy import PolicyLimits, write_configuration
from tests import images
from tests.engine.sandboxes import TRY, confined

MEMORY = 512 << 20


@pytest.fixture
async def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EnginePool]:
    monkeypatch.delenv(seccomp.VARIABLE, raising=False)
    async with confined(tmp_path) as pool:
        yield pool


@pytest.mark.parametrize("deed", ["save by ImageMagick", "open as Python"])
async def test_a_denied_call_is_no_damage_and_the_log_names_it(
    pool: EnginePool, deed: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    if pool.sandbox["file system"] is not True:
        return  # and the report says so
    place = tmp_path / "elsewhere" / "temporary.gif"
    job = replace(TRY, recipe={f"{deed} and blame the image": str(place)})
    with pytest.raises(EngineError) as caught:
        await pool.run(job, affinity="")
    assert (caught.type, str(caught.value)) == (Malfunction, "the image could not be made")
    assert "the sandbox denies what is needed" in caplog.text
    assert str(place) in caplog.text
    assert "in _blaming" in caplog.text  # the traceback leads to the call


def test_words_of_an_image_are_no_denial() -> None:
    quoted = Undecodable("the image is damaged: its comment says so: Permission denied")
    assert denial(quoted) is None
    quoted.__cause__ = ValueError("a bad length")
    assert denial(quoted) is None
    quoted.__cause__ = PermissionError(1, "Operation not permitted", "/tmp/x")
    assert denial(quoted) == "PermissionError: [Errno 1] Operation not permitted: '/tmp/x'"


async def test_tiff_with_exif_and_gps_directories_is_decoded_by_imagemagick_in_the_sandbox(tmp_path: Path) -> None:
    """ImageMagick 7 would print those directories into a temporary file."""
    policy, originals, work = (tmp_path / name for name in ("policy", "originals", "work"))
    originals.mkdir()
    Image.new("RGB", (64, 48), (200, 100, 50)).save(originals / "scan.tif")
    with Image.open(originals / "scan.tif") as scan:
        scan.save(originals / "scan.tif", exif=images.exif())
    with Image.open(originals / "scan.tif") as scan:
        assert scan.getexif().get_ifd(images.GPS_IFD) and scan.getexif().get_ifd(images.EXIF_IFD)
    write_configuration(policy, ORIGINAL_FORMATS, FORMATS, PolicyLimits(MEMORY, 10**7, 65535, 100))
    pool = EnginePool(EngineSettings(1, MEMORY, 10, 30, 4, policy, (originals,), (work,)))
    await pool.start()
    try:
        for library in ("auto", "imagemagick"):
            job = Job("derive", str(originals / "scan.tif"), Header("tif", 64, 48), Limits(10**6, 1, 64, 64))
            job = replace(job, format="png", output=str(work / "made"), library=library)
            await pool.run(job, affinity="")
            with Image.open(work / "made") as made:
                assert made.convert("RGB").getpixel((20, 20)) == (200, 100, 50)
            (work / "made").unlink()
    finally:
        await pool.close()
