"""HEIC whose colour HEVC states, AVIF of more than 8 bits, turned AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.pictures import reference, writers
from tests.pictures.case import Case, flat
from tests.pictures.colour import NUMBERS, space_of


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


CASES: list[Case] = [*in_hevc()]
