"""ThumbHash against the decoder of its specification, written out here."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.engine.thumbhash import thumbhash
from tests import images


def decoded(data: bytes, width: int, height: int) -> NDArray[np.float64]:
    """Pixels (height, width, 4) in 0..1, as `thumbHashToRGBA` makes them."""
    head, shape = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    l_dc, p_dc, q_dc = (head & 63) / 63, (head >> 6 & 63) / 31.5 - 1, (head >> 12 & 63) / 31.5 - 1
    l_scale, alpha, landscape = (head >> 18 & 31) / 31, head >> 23, shape >> 15
    p_scale, q_scale = (shape >> 3 & 63) / 63, (shape >> 9 & 63) / 63
    lx = max(3, (5 if alpha else 7) if landscape else shape & 7)
    ly = max(3, shape & 7 if landscape else (5 if alpha else 7))
    a_dc, a_scale = ((data[5] & 15) / 15, (data[5] >> 4) / 15) if alpha else (1.0, 0.0)
    rest = data[6 if alpha else 5 :]
    nibbles = iter([n for byte in rest for n in (byte & 15, byte >> 4)])
    y, x = np.mgrid[0:height, 0:width]

    def channel(dc: float, nx: int, ny: int, scale: float) -> NDArray[np.float64]:
        plane = np.full((height, width), dc)
        for cy in range(ny):
            for cx in range(1 if cy == 0 else 0, math.ceil(nx * (ny - cy) / ny)):
                term = (next(nibbles) / 7.5 - 1) * scale
                wave = np.cos(math.pi / width * cx * (x + 0.5)) * np.cos(math.pi / height * cy * (y + 0.5))
                plane += 2 * term * wave
        return plane

    light = channel(l_dc, lx, ly, l_scale)
    p, q = channel(p_dc, 3, 3, p_scale * 1.25), channel(q_dc, 3, 3, q_scale * 1.25)
    opacity = channel(a_dc, 5, 5, a_scale) if alpha else np.ones((height, width))
    blue = light - 2 / 3 * p
    red = (3 * light - blue + q) / 2
    return np.clip(np.stack([red, red - q, blue, opacity], -1), 0, 1)


@pytest.mark.parametrize("size", [(32, 24), (24, 32), (32, 32), (32, 3)])
def test_the_hash_shows_a_blur_of_the_image(size: tuple[int, int]) -> None:
    image = Image.fromarray(images.photo(*size))
    shown = decoded(thumbhash(image), *size)[..., :3] * 255
    blur = np.asarray(image.resize((4, 3), Image.Resampling.BOX).resize(size, Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(shown - blur).mean() < 22


def test_it_shows_what_is_transparent() -> None:
    image = Image.fromarray(images.photo_alpha(32, 24))
    shown = decoded(thumbhash(image), 32, 24)[..., 3]
    assert shown[12, 16] > 0.7
    assert shown[0, 0] < 0.3


def test_one_colour_is_shown_as_it_is() -> None:
    shown = decoded(thumbhash(Image.new("RGB", (10, 10), (200, 100, 50))), 10, 10)[0, 0, :3] * 255
    assert np.abs(shown - [200, 100, 50]).max() < 6


def test_it_is_short() -> None:
    assert len(thumbhash(Image.fromarray(images.photo(32, 24)))) <= 25
