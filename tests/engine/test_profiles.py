"""A profile that leaves says its colours and nothing else. Little CMS, through Pillow, is the judge of colours."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageCms

from service.engine.stripping import NotCopied, icc
from tests import images, profile_tables, profiles
from tests.engine.deriving import derive
from tests.metadata import secrets
from tests.profile_tables import SECRET

PROFILES = profile_tables.everywhere()
PLAIN = {"p3": profiles.display_p3(), "adobe": profiles.adobe_rgb(), "gray": profiles.gray(), "cmyk": profiles.cmyk()}
INSTALLED = [
    path for root in ("/usr/share/color", "/usr/share/ghostscript") for path in sorted(Path(root).rglob("*.ic[cm]"))
]
MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
NEEDED = set(
    ["rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "wtpt", "chad", "cicp", "desc", "cprt"]
    + [f"{kind}{number}" for kind in ("A2B", "B2A", "D2B", "B2D") for number in range(4)]
)


def through(profile: bytes) -> list[bytes]:
    """Random samples in sRGB as images are converted, and in sRGB and Lab by every intent without a table between."""
    mode = MODES[profile[16:20]]
    samples = np.random.default_rng(1).integers(0, 256, (40, 40, len(Image.new(mode, (1, 1)).getbands())), np.uint8)
    image = Image.frombytes(mode, (40, 40), samples.tobytes())
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    exact = ImageCms.Flags.NOOPTIMIZE
    transforms = [
        ImageCms.buildTransform(source, srgb, mode, "RGB"),
        *(ImageCms.buildTransform(source, srgb, mode, "RGB", intent, exact) for intent in ImageCms.Intent),
        *(ImageCms.buildTransform(source, lab, mode, "LAB", intent, exact) for intent in ImageCms.Intent),
    ]
    return [transform.apply(image).tobytes() for transform in transforms]


def tags_of(profile: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    rows = (struct.unpack_from(">4sII", profile, 132 + 12 * number) for number in range(count))
    return {name.decode(): profile[start : start + size] for name, start, size in rows}


@pytest.mark.parametrize("name", PROFILES)
def test_colours_are_the_same_to_the_last_bit(name: str) -> None:
    assert through(icc.to_keep(PROFILES[name])) == through(PROFILES[name])


@pytest.mark.parametrize("name", PLAIN)
def test_so_they_are_of_a_profile_without_secrets(name: str) -> None:
    assert through(icc.to_keep(PLAIN[name])) == through(PLAIN[name])


def test_so_they_are_of_the_profiles_on_this_machine() -> None:
    for path in INSTALLED:
        profile = path.read_bytes()
        clean = icc.to_keep(profile) if profile[16:20] in MODES else b""
        if clean:
            assert through(clean) == through(profile), path
            assert tags_of(clean).keys() <= NEEDED


@pytest.mark.parametrize("name", PROFILES)
def test_no_secret_is_left(name: str) -> None:
    clean = icc.to_keep(PROFILES[name])
    assert PROFILES[name].count(SECRET) > 20
    assert secrets(clean) == []
    assert b"xyzz" not in clean.replace(bytes(range(255, -1, -1)), b"")
    assert tags_of(clean).keys() <= NEEDED


@pytest.mark.parametrize("name", PROFILES)
def test_the_header_names_nobody_and_no_time(name: str) -> None:
    clean = icc.to_keep(PROFILES[name])
    with_zeros = {"CMM": (4, 8), "date": (24, 36), "platform, flags, maker, model, attributes": (40, 64)}
    with_zeros["creator, identity, reserved"] = (80, 128)
    for field, (start, end) in with_zeros.items():
        assert clean[start:end] == bytes(end - start), field
    assert clean[8:10] == PROFILES[name][8:10]
    assert len(clean) == int.from_bytes(clean[:4])


@pytest.mark.parametrize("name", PROFILES)
def test_every_byte_belongs_to_the_header_the_table_or_a_tag(name: str) -> None:
    clean = icc.to_keep(PROFILES[name])
    (count,) = struct.unpack_from(">I", clean, 128)
    rows = sorted({struct.unpack_from(">II", clean, 136 + 12 * number) for number in range(count)})
    at = 132 + 12 * count
    for start, size in rows:
        assert start == at
        at = start + size + -size % 4
        assert clean[start + size : at] == bytes(at - start - size)
    assert at == len(clean)


@pytest.mark.parametrize("name", PROFILES)
def test_the_required_texts_are_there_and_neutral(name: str) -> None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc.to_keep(PROFILES[name]))).profile
    assert profile.profile_description == "ICC profile"
    assert profile.copyright == "none"


@pytest.mark.parametrize("name", [*PROFILES, *PLAIN])
def test_written_again_it_stays_the_same(name: str) -> None:
    clean = icc.to_keep({**PROFILES, **PLAIN}[name])
    assert icc.to_keep(clean) == clean


def test_a_broken_table_that_colour_does_not_need_goes() -> None:
    tags = {
        "A2B0": profile_tables.mft2(3, 3),
        "B2A0": b"mft2 is what this is not",
        "wtpt": profile_tables.xyz(profiles.D50),
    }
    clean = icc.to_keep(profile_tables.profile(b"scnr", b"RGB ", b"Lab ", tags))
    assert tags_of(clean).keys() == {"desc", "cprt", "wtpt", "A2B0"}


@pytest.mark.parametrize("name", ["matrix v4", "rgb mAB", "rgb floats", "gray v2"])
def test_a_damaged_profile_never_changes_colours(name: str) -> None:
    """What cannot be written again with the same colours is refused, and the image is converted."""
    random = Random(name)
    for _ in range(8):
        damaged = bytearray(PROFILES[name])
        for _ in range(random.randrange(1, 5)):
            damaged[random.randrange(132, len(damaged))] = random.randrange(256)
        try:
            clean = icc.to_keep(bytes(damaged))
        except NotCopied:
            continue
        if clean:
            assert through(clean) == through(bytes(damaged))


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif", "tif"])
@pytest.mark.parametrize("name", ["matrix v2", "rgb mAB", "gray v4"])
def test_what_keep_icc_lets_out_is_written_again(name: str, kind: str) -> None:
    data = (images.jpeg_gray if name.startswith("gray") else images.jpeg)(icc_profile=PROFILES[name])
    made = derive(data, "w=40,keep=icc", kind, keep=("icc",))
    assert made.pillow().info["icc_profile"] == icc.to_keep(PROFILES[name])
    assert secrets(made.data) == []
