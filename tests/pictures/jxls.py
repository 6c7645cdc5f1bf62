"""JPEG XL: colour by numbers and by profiles, 8 and 16 bits, alpha, gray, turned, in a container, and of a JPEG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from tests import images, jxls
from tests.pictures import reference
from tests.pictures.avifs import COLOUR, OTHER
from tests.pictures.case import Case, flat
from tests.pictures.colour import GRAY, HALF, NUMBERS, PROFILES, RED, WHITES, deep_or_not, named, space_of, with_alpha

SRGB = (1, 13)
KNOWN = ("sRGB", "BT.709", "linear", "P3", "BT.2020 linear", "PQ", "PQ of P3", "PQ of sRGB", "HLG", "HLG of sRGB")
"""What JPEG XL has numbers for, of the white point D65."""


_PRIMARIES = {reference.P3: 11}
"""By H.273 the number in JxlPrimaries, where it is another one."""


def file(
    samples: Sequence[float], depth: int, numbers: tuple[int, int] = SRGB, *, icc: bytes = b"", gamma: float = 0
) -> bytes:
    """One colour, of samples from 0 to 1."""
    most = (1 << depth) - 1
    pixel = np.array([round(most * value) for value in samples], np.uint8 if depth == 8 else np.uint16)
    return jxls.encoded(np.tile(pixel, (48, 64, 1)), numbers, icc=icc, gamma=gamma)


def numbered() -> Iterator[Case]:
    for name in KNOWN:
        primaries, transfer, samples = NUMBERS[name]
        right = reference.seen(samples, primaries, transfer)
        for depth, alpha in deep_or_not((8, 16)):
            pixel = samples if alpha is None else (*samples, alpha)
            make = partial(file, pixel, depth, (_PRIMARIES.get(primaries, primaries), transfer))
            meta = {"depth": depth, "alpha": alpha is not None, **space_of(name)}
            yield Case(
                named(f"numbers {name}", depth, alpha), "jxl", make, flat(with_alpha(right, alpha)), meta, 5, "png"
            )
    for gamma in (1.8, 2.2):
        for depth in (8, 16):
            make = partial(file, RED, depth, gamma=1 / gamma)
            yield Case(f"gamma {gamma}, {depth} bits", "jxl", make, flat(reference.seen(RED, 1, gamma)), {}, 4, "png")


def profiled() -> Iterator[Case]:
    for name, (icc, points, curve) in PROFILES.items():
        for depth, alpha in ((8, None), (16, HALF)):
            pixel = RED if alpha is None else (*RED, alpha)
            right = with_alpha(reference.seen(RED, points, curve), alpha)
            yield Case(named(f"ICC {name}", depth, alpha), "jxl", partial(file, pixel, depth, icc=icc), flat(right))


def bright() -> Iterator[Case]:
    for name, transfer, value in WHITES:
        for depth in (8, 16):
            make = partial(file, (value,) * 3, depth, (9, transfer))
            yield Case(f"white {name}, {depth} bits", "jxl", make, flat((253, 253, 253)), {}, 3, "png")


def shaped() -> Iterator[Case]:
    """Gray, the eight orientations, boxes, and what a JPEG was made of."""
    meta = {"colour_space": "gray"}
    yield Case("gray", "jxl", partial(file, GRAY, 8), flat((128, 128, 128)), meta)
    yield Case("gray, alpha", "jxl", partial(file, (*GRAY, HALF), 8), flat((128, 128, 128, 128)), meta)
    halves = np.zeros((48, 64, 3), np.uint8)
    halves[:, :32], halves[:, 32:] = COLOUR, OTHER
    left, right, top, bottom = (0.2, 0.5), (0.8, 0.5), (0.5, 0.2), (0.5, 0.8)
    for orientation in range(1, 9):
        first, second = (left, right) if orientation < 5 else (top, bottom)
        if orientation in (2, 3, 7, 8):
            first, second = second, first
        make = partial(jxls.encoded, halves, SRGB, orientation=orientation)
        yield Case(f"orientation {orientation}", "jxl", make, {first: COLOUR, second: OTHER})
    shows = {left: COLOUR, right: OTHER}
    yield Case("in parts", "jxl", lambda: jxls.container(jxls.split(images.jxl(halves, lossless=True), 4, 9)), shows)
    yield Case("of a JPEG", "jxl", lambda: images.jxl_of_jpeg(images.jpeg(halves, quality=95)), shows)


CASES: list[Case] = [*numbered(), *profiled(), *bright(), *shaped()]
