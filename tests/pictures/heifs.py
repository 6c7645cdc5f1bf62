"""HEIC whose colour HEVC states, AVIF of more than 8 bits, turned AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.pictures import reference, writers
from tests.pictures.case import Case, flat
from tests.pictures.colour import BROWN, HALF, NUMBERS, PROFILES, RED, WHITES, named, space_of, with_alpha


def in_hevc() -> Iterator[Case]:
    """HEIC without a `colr` box, by what HEVC itself says: primaries and transfer function, matrix and range."""
    coded = (("BT.601", 6, True), ("BT.709 narrow", 1, False), ("BT.2020", 9, True), ("BT.2020 narrow", 9, False))
    for number, name in enumerate(("sRGB", "P3", "linear", "BT.2020", "gamma 2.2", "PAL", "PQ", "HLG")):
        primaries, transfer, samples = NUMBERS[name]
        shows = flat(reference.seen(samples, primaries, transfer))
        for depth in (8, 10, 12):
            matrix, code, full = coded[(number + depth // 2) % len(coded)]
            make = partial(writers.heic_in_stream, samples, depth, (primaries, transfer, code, full))
            meta = {"depth": depth, **space_of(name)}
            yield Case(f"HEVC {name} {matrix}, {depth} bits", "heic", make, shows, meta, 6 if depth == 8 else 4, "png")
    for name, numbers, stands_for, space in (
        ("as Android's cameras", (5, 6, 5, True), (1, 13), "sRGB"),  # the samples are those of a JPEG
        ("as Android names it otherwise", (5, 1, 6, True), (1, 13), "sRGB"),
        ("PAL in a narrow range", (5, 6, 5, False), (5, 6), "RGB"),
    ):
        make = partial(writers.heic_in_stream, BROWN, 8, numbers)
        shows = flat(reference.seen(BROWN, *stands_for))
        yield Case(f"HEVC {name}", "heic", make, shows, {"colour_space": space}, 6, "png")


def deep() -> Iterator[Case]:
    """AVIF of 10 and 12 bits, by numbers and by profiles."""
    for name, (primaries, transfer, samples) in NUMBERS.items():
        right = reference.seen(samples, primaries, transfer)
        for depth, alpha in ((10, None), (12, HALF)):
            pixel = samples if alpha is None else (*samples, alpha)
            make = partial(writers.deep_avif, pixel, depth, (primaries, transfer))
            meta = {"depth": depth, "alpha": alpha is not None, **space_of(name)}
            yield Case(named(f"nclx {name}", depth, alpha), "avif", make, flat(with_alpha(right, alpha)), meta, 3)
    for name in ("P3", "Adobe RGB", "sRGB gamma 1.8"):
        icc, points, curve = PROFILES[name]
        make = partial(writers.deep_avif, RED, 10, (9, 16), icc)
        yield Case(
            named(f"ICC {name}", 10, None), "avif", make, flat(reference.seen(RED, points, curve)), {"depth": 10}
        )
    for name, transfer, value in WHITES:
        make = partial(writers.deep_avif, (value,) * 3, 10, (9, transfer))
        yield Case(f"white {name}, 10 bits", "avif", make, flat((253, 253, 253)), {"depth": 10}, 3)


CASES: list[Case] = [*in_hevc(), *deep()]
