"""`@meta.json` has the configured fields, with the values of the original."""

import json
from typing import Any

import pytest
from jsonschema import validate

from tests import images, profiles
from tests.engine.deriving import describe

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


def test_the_dominant_colour_is_that_of_most_pixels_that_can_be_seen() -> None:
    picture = images.flat(60, 60, (255, 255, 255, 0))
    picture[10:40, 10:40] = (200, 0, 0, 255)
    picture[40:45, 10:40] = (0, 0, 200, 255)
    red, green, blue = bytes.fromhex(told(images.png(picture), "dominant_colour")["dominant_colour"][1:])
    assert red > 180
    assert max(green, blue) < 30
