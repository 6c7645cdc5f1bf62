"""A JPEG that is stored turned is set upright by its blocks, where they allow it; else it is encoded once more."""

import io
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from service.engine.job import Job, Undecodable
from service.engine.jpeg import turbo
from service.engine.recognise import recognise
from service.engine.steps.orient import TURNS
from service.engine.stripping import icc as icc_profiles
from tests import images, profile_tables, profiles
from tests.engine.deriving import LIMITS, derive
from tests.engine.pools import Begin
from tests.metadata import secrets, tags, write_secrets

TURNED_BACK = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
SAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def decoded(data: bytes) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image).astype(int)


def as_shown(data: bytes, orientation: int) -> NDArray[np.int64]:
    """What a viewer shows, by Pillow's decoder and Pillow's turns."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.transpose(TURNS[orientation])).astype(int)


def with_orientation(data: bytes, orientation: int) -> bytes:
    """A JPEG without EXIF, with EXIF that says nothing but this."""
    block = Image.Exif()
    block[images.ORIENTATION] = orientation
    content = block.tobytes()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(content)) + content + data[2:]


def quantization(data: bytes) -> list[int]:
    """The steps of the first table; a turn by a quarter transposes it."""
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, JpegImageFile)
        return sorted(image.quantization[0])


@pytest.mark.parametrize("orientation", TURNS)
def test_blocks_of_one_colour_are_the_same_to_the_last_bit(orientation: int) -> None:
    colours = np.random.default_rng(orientation).integers(0, 256, (15, 20, 3), np.uint8)
    data = images.oriented(orientation, "JPEG", np.kron(colours, np.ones((16, 16, 1), np.uint8)))
    made = derive(data, "", "jpg")
    assert np.array_equal(made.pixels(), as_shown(data, orientation))
    assert made.pillow().size == (made.result.width, made.result.height) == (320, 240)


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("orientation", TURNS)
def test_nothing_is_lost_turned_back_it_is_what_it_was(orientation: int, sampling: str) -> None:
    data = images.oriented(orientation, "JPEG", images.photo(), subsampling=SAMPLING[sampling], quality=70)
    made = derive(data, "", "jpg")
    # A decoder rounds rows before columns and left before right, so turned samples may differ a little ...
    difference = np.abs(made.pixels() - as_shown(data, orientation))
    assert difference.max() <= 4
    assert difference.mean() < 0.2
    # ... but the coefficients are those that were stored.
    back = derive(with_orientation(made.data, TURNED_BACK[orientation]), "", "jpg")
    assert np.array_equal(decoded(back.data), decoded(data))


@pytest.mark.parametrize("name", ["jpeg_gray", "jpeg_cmyk", "jpeg_ycck"])
def test_other_colour_spaces_stay_what_they_are(name: str) -> None:
    data = with_orientation(getattr(images, name)(), 3)
    made = derive(data, "", "jpg")
    with Image.open(io.BytesIO(data)) as original:
        assert made.pillow().mode == original.mode
    assert np.abs(decoded(made.data) - as_shown(data, 3)).max() <= 4


@pytest.mark.parametrize(
    ("width", "height", "orientation", "lossless"),
    [(320, 237, 2, True), (313, 240, 4, True), (313, 240, 2, False), (313, 240, 6, True), (320, 237, 6, False)],
)
def test_only_a_side_that_comes_first_must_end_with_a_whole_block(
    width: int, height: int, orientation: int, lossless: bool
) -> None:
    """Sizes are as stored. A part of a block is allowed on the right and at the bottom of a JPEG, nowhere else."""
    image = Image.fromarray(images.photo(width, height))
    data = with_orientation(images.encode(image, "JPEG", quality=60), orientation)
    made = derive(data, "", "jpg")
    assert (quantization(made.data) == quantization(data)) == lossless
    assert made.pillow().size == as_shown(data, orientation).shape[1::-1]
    assert np.abs(made.pixels() - as_shown(data, orientation)).mean() < 2


def test_a_profile_stays_unless_it_is_srgb() -> None:
    for icc, kept in ((profiles.adobe_rgb(), icc_profiles.to_keep(profiles.adobe_rgb())), (profiles.srgb(), None)):
        made = derive(images.oriented(6, "JPEG", images.photo(), icc_profile=icc), "", "jpg")
        assert made.pillow().info.get("icc_profile") == kept


def test_a_profile_longer_than_a_segment_stays_whole() -> None:
    icc = profile_tables.profile(b"scnr", b"RGB ", b"Lab ", {"A2B0": profile_tables.mft2(3, 3, points=28)})
    made = derive(images.oriented(8, "JPEG", images.photo(), icc_profile=icc), "", "jpg")
    assert made.pillow().info["icc_profile"] == icc_profiles.to_keep(icc)
    assert len(made.pillow().info["icc_profile"]) > 2 * 65_519


def test_no_metadata_is_left(tmp_path: Path) -> None:
    path = tmp_path / "original.jpg"
    path.write_bytes(images.jpeg())
    write_secrets(path)
    subprocess.run(["exiftool", "-q", "-n", "-overwrite_original", "-Orientation=6", path], check=True)
    path.write_bytes(path.read_bytes() + b"xyzzy-secret behind the end")
    made = derive(path, "", "jpg")
    assert made.pillow().size == (240, 320)
    (tmp_path / "made.jpg").write_bytes(made.data)
    assert tags(tmp_path / "made.jpg") == {}
    assert secrets(made.data) == []


def test_damage_is_refused_unless_it_is_tolerated() -> None:
    data = images.oriented(6, "JPEG", images.photo())
    cut = data[: len(data) * 2 // 3]
    with pytest.raises(Undecodable):
        derive(cut, "", "jpg")
    shown = derive(cut, "", "jpg", tolerant=True).pixels()
    assert np.abs(shown - as_shown(data, 6))[:, 160:].mean() < 3  # the first rows as stored are the right columns


def test_without_the_library_it_is_encoded_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turbo, "library", None)
    data = images.oriented(6, "JPEG", images.photo())
    assert turbo.version() == "no libturbojpeg"
    assert np.abs(derive(data, "", "jpg").pixels() - as_shown(data, 6)).mean() < 2


async def test_an_engine_process_turns_within_its_cage(begin: Begin, tmp_path: Path) -> None:
    data = images.oriented(6, "JPEG", images.photo())
    source, output = tmp_path / "original", tmp_path / "derived"
    source.write_bytes(data)
    pool = await begin(processes=1, memory=512 << 20, module="service.engine.pipeline")
    job = Job("derive", str(source), recognise(source), LIMITS, {}, "jpg", str(output))
    assert (await pool.run(job, affinity="")).width == 320
    assert pool.sandbox["system calls"] is True
    assert output.read_bytes() == derive(source, "", "jpg").data
    assert quantization(output.read_bytes()) == quantization(data)
