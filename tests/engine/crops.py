"""The largest crop of a shape from a picture: where `g=smart`, libvips and the centre put it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyvips
from PIL import Image

from service.engine import geometry
from service.engine.geometry import Box
from service.engine.picture import Frame
from service.engine.steps.smart import attention
from tests.scenes import Box as Edges

Crop = Callable[[Image.Image, tuple[int, int]], Edges]
"""From a picture and a shape, width to height, to the crop's left, top, right and bottom in pixels."""


def ours(picture: Image.Image, shape: tuple[int, int]) -> Edges:
    whole = Box(0, 0, *picture.size)
    return geometry.covering(whole, shape, attention(Frame(picture), whole, shape)).edges


def libvips(interesting: str) -> Crop:
    def crop(picture: Image.Image, shape: tuple[int, int]) -> Edges:
        largest = geometry.covering(Box(0, 0, *picture.size), shape, (0.5, 0.5))
        width, height = int(largest.width), int(largest.height)
        image = pyvips.Image.new_from_array(np.asarray(picture)).copy(interpretation="srgb")
        chosen = image.smartcrop(width, height, interesting=interesting)
        return (-chosen.xoffset, -chosen.yoffset, width - chosen.xoffset, height - chosen.yoffset)

    return crop


def centre(picture: Image.Image, shape: tuple[int, int]) -> Edges:
    return geometry.covering(Box(0, 0, *picture.size), shape, (0.5, 0.5)).edges
