"""A plane's new size, against the two passes of Pillow that it stands for."""

import random

import pytest
from PIL import Image as Pillow

from service.engine.geometry import Box
from service.engine.samples import resized

GAP = 1.5
KERNELS = (Pillow.Resampling.LANCZOS, Pillow.Resampling.BICUBIC)


def in_two_passes(plane: Pillow.Image, size: tuple[int, int], kernel: Pillow.Resampling, box: Box) -> Pillow.Image:
    lower = plane.resize((plane.width, size[1]), kernel, (0, box.top, plane.width, box.bottom))
    return lower.resize(size, kernel, (box.left, 0, box.right, size[1]))


def noise(width: int, height: int, seed: int) -> Pillow.Image:
    return Pillow.frombytes("L", (width, height), random.Random(seed).randbytes(width * height))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("seed", range(50))
def test_gives_the_samples_of_two_passes(kernel: Pillow.Resampling, seed: int) -> None:
    chance = random.Random(seed)
    width, height = chance.randint(1, 90), chance.randint(1, 90)
    left, top = chance.uniform(0, width / 2), chance.uniform(0, height / 2)
    box = Box(left, top, chance.uniform(left + 0.5, width), chance.uniform(top + 0.5, height))
    size = chance.randint(-(-width // 2), 99), chance.randint(-(-height // 2), 99)
    plane = noise(width, height, seed)
    made = resized(plane, size, kernel, box, GAP)
    assert made.mode == "L"
    assert made.size == size
    assert made.tobytes() == in_two_passes(plane, size, kernel, box).tobytes()


def test_leaves_what_keeps_its_size_as_it_is() -> None:
    plane = noise(31, 17, 0)
    assert resized(plane, plane.size, KERNELS[0], Box(0, 0, *plane.size), GAP).tobytes() == plane.tobytes()


@pytest.mark.parametrize("size", [(10, 70), (70, 10), (10, 10)])
def test_reduces_first_what_is_much_larger(size: tuple[int, int]) -> None:
    plane, box = noise(70, 70, 1), Box(1.5, 0.25, 69, 70)
    made = resized(plane, size, KERNELS[0], box, GAP)
    assert made.tobytes() == plane.resize(size, KERNELS[0], box.edges, GAP).tobytes()
    assert made.tobytes() != plane.resize(size, KERNELS[0], box.edges).tobytes()
