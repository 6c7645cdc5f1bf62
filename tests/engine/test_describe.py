"""`@meta.json` has the configured fields, with the values of the original."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from jsonschema import validate
from PIL import Image

from tests import images, profiles
from tests.engine.deriving import describe
from tests.engine.test_thumbhash import decoded

ALL = ("format", "width", "height", "frames", "duration", "bytes", "colour_space", "depth", "alpha", "orientation",
       "taken", "camera", "dominant_colour", "placeholder")  # fmt: skip


def told(data: bytes, *fields: str) -> Any:
    return json.loads(describe(data, *fields).data)


def test_a_photograph() -> None:
    data = images.jpeg(exif=images.exif(6))
    meta = told(data, *ALL)
    assert list(meta) == list(ALL)
    assert meta | {"dominant_colour": "", "placeholder": ""} == {
        "format": "jpg", "width": 240, "height": 320, "frames": 1, "duration": None, "bytes": len(data),
        "colour_space": "sRGB", "depth": 8, "alpha": False, "orientation": 6, "taken": "2024-05-06T07:08:09",
        "camera": "Secretcam X100", "dominant_colour": "", "placeholder": "",
    }  # fmt: skip
    validate(meta["dominant_colour"], {"type": "string", "pattern": "^#[0-9a-f]{6}$"})


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_private_fields_are_told_only_when_they_are_named(kind: str) -> None:
    data = getattr(images, kind)(exif=images.exif())
    assert "Secret Owner" not in describe(data, *ALL).data.decode()
    assert "48.2" not in describe(data, *ALL).data.decode()
    meta = told(data, "position", "author", "serial")
    assert meta["position"] == {"latitude": 48.2, "longitude": 16.37}
    assert (meta["author"], meta["serial"]) == (images.SECRET_OWNER, images.SECRET_SERIAL)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (images.gif_animated(count=3, delays=[100, 50, 200]), {"frames": 3, "duration": 350}),
        (images.gif_animated(count=3)[:-1] + b"\x21\xf9\x04\x09\x05\0\x0f\0;", {"frames": 3, "duration": 300}),
        (images.webp_animated(count=3, delays=[33, 33, 1000]), {"frames": 3, "duration": 1066}),
        (images.jpeg_cmyk(), {"colour_space": "CMYK"}),
        (images.jpeg_gray(), {"colour_space": "gray"}),
        (images.jpeg(icc_profile=profiles.display_p3()), {"colour_space": "RGB"}),
        (images.jpeg(icc_profile=profiles.srgb()), {"colour_space": "sRGB"}),
        (images.png_16bit(), {"depth": 16}),
        (images.png_alpha(), {"alpha": True}),
        (images.webp(), {"format": "webp", "duration": None}),
        (images.jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"), {"camera": None, "taken": None}),
        (images.png(images.flat(50, 20, (10, 200, 30))), {"dominant_colour": "#0ac81e"}),
    ],
)
def test_it_tells(data: bytes, expected: dict[str, object]) -> None:
    assert told(data, *expected) == expected


@pytest.mark.parametrize("times", [1, 11])
def test_the_dominant_colour_is_that_of_most_pixels_that_can_be_seen(times: int) -> None:
    picture = images.flat(60, 60, (255, 255, 255, 0))
    picture[10:40, 10:40] = (200, 0, 0, 255)
    picture[40:45, 10:40] = (0, 0, 200, 255)
    enlarged = picture.repeat(times, axis=0).repeat(times, axis=1)
    red, green, blue = bytes.fromhex(told(images.png(enlarged), "dominant_colour")["dominant_colour"][1:])
    assert red > 180
    assert max(green, blue) < 30


@pytest.mark.parametrize(
    ("size", "orientation"), [((1500, 1000), 1), ((1000, 700), 6), ((3001, 299), 1), ((65, 1200), 1)]
)
def test_the_placeholder_shows_a_blur_of_the_upright_image(size: tuple[int, int], orientation: int) -> None:
    photo = Image.fromarray(images.photo(*size))
    hash = base64.b64decode(
        told(images.png(np.asarray(photo), exif=images.exif(orientation)), "placeholder")["placeholder"]
    )
    upright = photo.transpose(Image.Transpose.ROTATE_270) if orientation == 6 else photo
    small = upright.resize((32, 24) if upright.width > upright.height else (24, 32), Image.Resampling.BOX)
    blur = np.asarray(small.resize((4, 3), Image.Resampling.BOX).resize(small.size, Image.Resampling.BICUBIC))
    shown = decoded(hash, *small.size)[..., :3] * 255
    assert np.abs(shown - blur.astype(int)).mean() < 22
