"""Colour statements over formats, depths, gray and alpha: every one with the value that the standards give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from tests import profiles
from tests.pictures import reference, writers
from tests.pictures.case import Case, Colour, flat
from tests.pictures.reference import ADOBE, BT2020, CHROMATICITIES, DCI, P3, PAL, SMPTE_C, SRGB

Samples = tuple[float, ...]

RED, BROWN, TEAL = (200 / 255, 60 / 255, 60 / 255), (0.5, 0.35, 0.2), (0.25, 0.5, 0.5)
GRAY, DARK = (128 / 255,), (3 / 255,)
HALF = 128 / 255
"""An alpha."""

NUMBERS: dict[str, tuple[int, int, Samples]] = {
    "sRGB": (SRGB, 13, RED),
    "BT.709": (SRGB, 1, BROWN),
    "linear": (SRGB, 8, BROWN),
    "gamma 2.2": (SRGB, 4, BROWN),
    "gamma 2.8": (SRGB, 5, BROWN),
    "P3": (P3, 13, RED),
    "P3 of cinemas, gamma 2.6": (DCI, 17, BROWN),
    "BT.2020": (BT2020, 14, TEAL),
    "BT.2020 linear": (BT2020, 8, TEAL),
    "PAL": (PAL, 13, RED),
    "SMPTE C, BT.601": (SMPTE_C, 6, RED),
    "PQ": (BT2020, 16, (0.42, 0.4, 0.36)),
    "PQ of P3": (P3, 16, (0.5, 0.4, 0.4)),
    "PQ of sRGB": (SRGB, 16, (0.3, 0.4, 0.5)),
    "HLG": (BT2020, 18, (0.5, 0.45, 0.4)),
    "HLG of sRGB": (SRGB, 18, (0.6, 0.3, 0.45)),
}
"""Primaries and transfer function by H.273, and samples below the knee of tone mapping."""

WHITES = (("PQ 203", 16, 0.5807), ("PQ 10000", 16, 1.0), ("HLG 75", 18, 0.75), ("HLG 100", 18, 1.0))
"""A transfer function, and a sample that must come out white."""

PROFILES: dict[str, tuple[bytes, tuple[tuple[float, float], ...] | int, float | int]] = {
    "sRGB": (profiles.matrix("sRGB", None), SRGB, 13),
    "P3": (profiles.matrix("Display P3", None), P3, 13),
    "P3 gamma 2.2": (profiles.display_p3(), P3, 2.2),
    "Adobe RGB": (profiles.adobe_rgb(), ADOBE, 563 / 256),
    "sRGB gamma 1.8": (profiles.matrix("sRGB", 1.8), SRGB, 1.8),
}
"""Profiles to embed, with the primaries and the transfer function that they stand for."""


def with_alpha(colour: Colour, alpha: float | None) -> Colour:
    return colour if alpha is None else (*colour, round(255 * alpha))


def named(what: str, depth: int, alpha: float | None) -> str:
    return f"{what}, {depth} bits" + (", alpha" if alpha else "")


def space_of(statement: str) -> dict[str, object]:
    return {"colour_space": "sRGB" if statement == "sRGB" else "RGB"}


def deep_or_not(depths: Sequence[int]) -> Iterator[tuple[int, float | None]]:
    yield from ((depth, alpha) for depth in depths for alpha in (None, HALF))


def numbered() -> Iterator[Case]:
    """PNG by cICP, AVIF and HEIC by nclx."""
    for name, (primaries, transfer, samples) in NUMBERS.items():
        right = reference.seen(samples, primaries, transfer)
        for depth, alpha in deep_or_not((8, 16)):
            pixel = samples if alpha is None else (*samples, alpha)
            make = partial(writers.png, pixel, depth, [writers.cicp(primaries, transfer)])
            meta = {"depth": depth, "alpha": alpha is not None, **space_of(name)}
            yield Case(named(f"cICP {name}", depth, alpha), "png", make, flat(with_alpha(right, alpha)), meta)
        for alpha in (None, HALF):
            pixel = samples if alpha is None else (*samples, alpha)
            make = partial(writers.avif, pixel, (primaries, transfer, 6, True))
            meta = {"depth": 8, "alpha": alpha is not None, **space_of(name)}
            yield Case(named(f"nclx {name}", 8, alpha), "avif", make, flat(with_alpha(right, alpha)), meta, 6)
        for depth, alpha in deep_or_not((8, 10, 12)):
            pixel = samples if alpha is None else (*samples, alpha)
            make = partial(writers.heic, pixel, depth, (primaries, transfer, 6, True))
            meta = {"depth": depth, "alpha": alpha is not None, **space_of(name)}
            shows = flat(with_alpha(right, alpha))
            yield Case(named(f"nclx {name}", depth, alpha), "heic", make, shows, meta, 6 if depth == 8 else 4, "png")


def in_stream() -> Iterator[Case]:
    """AVIF without nclx, by what AV1 itself says."""
    for name in ("sRGB", "P3", "linear", "BT.2020", "PQ", "HLG"):
        primaries, transfer, samples = NUMBERS[name]
        make = partial(writers.avif_in_stream, samples, primaries, transfer)
        shows = flat(reference.seen(samples, primaries, transfer))
        yield Case(f"AV1 {name}", "avif", make, shows, space_of(name), 6, "png")


def bright() -> Iterator[Case]:
    """White of high dynamic range at 203 cd/m2 (BT.2408, table 1: 58 % of PQ, 75 % of HLG), and the brightest."""
    for name, transfer, value in WHITES:
        shows = flat((253, 253, 253))  # 250 to 255, with the tolerance
        chunks = [writers.cicp(9, transfer)]
        for depth in (8, 16):
            make = partial(writers.png, (value,) * 3, depth, chunks)
            yield Case(f"white {name}, {depth} bits", "png", make, shows, {}, 3)
        make = partial(writers.png, (value,), 16, chunks)
        yield Case(f"gray white {name}", "png", make, shows, {"colour_space": "gray"}, 3)
        yield Case(f"white {name}", "avif", partial(writers.avif, (value,) * 3, (9, transfer, 6, True)), shows, {}, 3)
        for depth in (8, 10, 12):
            make = partial(writers.heic, (value,) * 3, depth, (9, transfer, 9, True))
            yield Case(f"white {name}, {depth} bits", "heic", make, shows, {}, 3, "png")


def by_gamma() -> Iterator[Case]:
    """PNG by gAMA and cHRM, in colour and in gray."""
    for gamma in (1.0, 1.8, 2.0, 2.2, 2.6):
        for depth, alpha in deep_or_not((8, 16)):
            tail = () if alpha is None else (alpha,)
            transfer = 13 if gamma == 2.2 else gamma  # 45455 stands for sRGB's curve (11.3.2.5)
            shows = flat(with_alpha(reference.seen(BROWN, SRGB, transfer), alpha))
            make = partial(writers.png, (*BROWN, *tail), depth, [writers.gama(gamma)])
            space = {"colour_space": "sRGB" if gamma == 2.2 else "RGB"}
            yield Case(named(f"gAMA {gamma}", depth, alpha), "png", make, shows, space)
            shows = flat(with_alpha(reference.seen(GRAY * 3, SRGB, transfer), alpha))
            make = partial(writers.png, (*GRAY, *tail), depth, [writers.gama(gamma)])
            meta = {"colour_space": "gray", "depth": depth}
            yield Case(named(f"gray gAMA {gamma}", depth, alpha), "png", make, shows, meta)
            shows = flat(with_alpha(reference.seen(DARK * 3, SRGB, transfer), alpha))
            make = partial(writers.png, (*DARK, *tail), depth, [writers.gama(gamma)])
            yield Case(named(f"dark gray gAMA {gamma}", depth, alpha), "png", make, shows, meta)
    places = {"Adobe": (ADOBE, 2.2), "P3": (CHROMATICITIES[P3], 2.2), "BT.2020": (CHROMATICITIES[BT2020], 1.0)}
    for name, (points, gamma) in places.items():
        for depth, alpha in deep_or_not((8, 16)):
            pixel = TEAL if alpha is None else (*TEAL, alpha)
            shows = flat(with_alpha(reference.seen(TEAL, points, 13 if gamma == 2.2 else gamma), alpha))
            make = partial(writers.png, pixel, depth, [writers.gama(gamma), writers.chrm(points)])
            yield Case(named(f"cHRM {name} gAMA {gamma}", depth, alpha), "png", make, shows, {"colour_space": "RGB"})
    for depth in (8, 16):
        make = partial(writers.png, RED, depth, [writers.chrm(CHROMATICITIES[P3])])
        yield Case(f"cHRM P3 alone, {depth} bits", "png", make, flat(reference.seen(RED, P3)), {"colour_space": "RGB"})


def gray_heic() -> Iterator[Case]:
    """HEVC without chroma, which is gray."""
    for name, transfer in (("sRGB", 13), ("linear", 8), ("gamma 2.2", 4)):
        shows, meta = flat(reference.seen(GRAY * 3, SRGB, transfer)), {"colour_space": "gray"}
        for depth in (8, 10, 12):
            make = partial(writers.heic, GRAY, depth, (1, transfer, 6, True))
            yield Case(f"gray {name}, {depth} bits", "heic", make, shows, {**meta, "depth": depth}, 4, "png")


def outranking() -> Iterator[Case]:
    """What counts in a PNG of several statements (third edition, table 2), and of cICP that says nothing."""
    p3, linear = writers.iccp(profiles.matrix("Display P3", None)), writers.gama(1.0)
    in_p3, plain = reference.seen(RED, P3), reference.seen(RED)
    kinds = {
        "cICP over iCCP": ([writers.cicp(1, 13), p3], plain),
        "cICP over gAMA": ([linear, writers.cicp(12, 13)], in_p3),
        "iCCP over gAMA": ([linear, p3], in_p3),
        "iCCP of sRGB over gAMA": ([linear, writers.iccp(profiles.srgb())], plain),
        "iCCP over sRGB": ([writers.SRGB, p3], in_p3),
        "sRGB over gAMA and cHRM": ([writers.SRGB, linear, writers.chrm(CHROMATICITIES[P3])], plain),
        "reserved cICP before gAMA": ([writers.cicp(3, 13), linear], reference.seen(RED, SRGB, 1.0)),
        "gAMA of 0": ([(b"gAMA", bytes(4))], plain),
        "cHRM of nothing": ([(b"cHRM", bytes(32))], plain),
    }
    for name, (chunks, right) in kinds.items():
        for depth in (8, 16):
            yield Case(f"{name}, {depth} bits", "png", partial(writers.png, RED, depth, chunks), flat(right))


def ranges() -> Iterator[Case]:
    """Matrix and range as stated: of AVIF they are changed behind the encoder's back, HEIC is encoded with them."""
    for matrix, full in ((1, True), (9, True), (6, False), (1, False)):
        codes = reference.to_ycbcr(np.array(BROWN), 6, full=True)
        read_so = np.round(255 * reference.from_ycbcr(codes, matrix, full=full))
        shows = flat(tuple(int(value) for value in read_so))
        name = f"matrix {matrix}, {'full' if full else 'narrow'} range"
        yield Case(name, "avif", partial(writers.avif, BROWN, (1, 13, matrix, full)), shows, {}, 5)
        for icc in (None, profiles.matrix("Display P3", None)):
            right = reference.seen(BROWN, P3 if icc else SRGB)
            for depth in (8, 10):
                make = partial(writers.heic, BROWN, depth, (1, 13, matrix, full), icc)
                yield Case(f"{name}, {depth} bits{', ICC' if icc else ''}", "heic", make, flat(right), {}, 5, "png")
    # Black and white of a narrow range are 16 and 235 (H.273, 8.3); here 126 lies between them.
    for depth in (8, 16):
        value = 126 * 256 / 65535 if depth == 16 else 126 / 255
        right = reference.seen([110 / 219] * 3)
        make = partial(writers.png, (value,) * 3, depth, [writers.cicp(1, 13, full=False)])
        yield Case(f"cICP narrow range, {depth} bits", "png", make, flat(right))


def profiled() -> Iterator[Case]:
    """ICC profiles in every format that holds them; in AVIF and HEIC they outrank what nclx says."""
    for name, (icc, primaries, transfer) in PROFILES.items():
        right = reference.seen(RED, primaries, transfer)
        meta = space_of(name)
        make = partial(writers.pillow, RED, "JPEG", quality=95, icc_profile=icc)
        yield Case(f"ICC {name}", "jpg", make, flat(right), meta)
        for alpha in (None, HALF):
            pixel: Samples = RED if alpha is None else (*RED, alpha)
            shows = flat(with_alpha(right, alpha))
            make = partial(writers.pillow, pixel, "WEBP", lossless=True, icc_profile=icc)
            yield Case(named(f"ICC {name}", 8, alpha), "webp", make, shows, meta)
            make = partial(avif_profiled, pixel, icc)
            yield Case(named(f"ICC {name}", 8, alpha), "avif", make, shows, meta, 6)
            for depth in (8, 16):
                make = partial(writers.png, pixel, depth, [writers.iccp(icc)])
                yield Case(named(f"ICC {name}", depth, alpha), "png", make, shows, meta)
                make = partial(writers.tiff, pixel, depth, icc)
                yield Case(named(f"ICC {name}", depth, alpha), "tif", make, shows, meta)
            for depth in (8, 10, 12):
                make = partial(writers.heic, pixel, depth, (9, 16, 6, True), icc)
                yield Case(named(f"ICC {name}", depth, alpha), "heic", make, shows, meta, 5, "png")
    linear = profiles.gray(1.0)
    for name, level in (("gray", GRAY), ("dark gray", DARK)):
        right = reference.seen(level * 3, SRGB, 1.0)
        for depth, alpha in deep_or_not((8, 16)):
            pixel = level if alpha is None else (*level, alpha)
            shows, meta = flat(with_alpha(right, alpha)), {"colour_space": "gray"}
            make = partial(writers.png, pixel, depth, [writers.iccp(linear)])
            yield Case(named(f"{name} ICC linear", depth, alpha), "png", make, shows, meta)


def avif_profiled(samples: Samples, icc: bytes) -> bytes:
    """An AVIF whose nclx says PQ and BT.2020 beside a profile."""
    return writers.avif(samples, (9, 16, 6, True), icc_profile=icc)


CASES: list[Case] = [
    *numbered(),
    *in_stream(),
    *bright(),
    *by_gamma(),
    *gray_heic(),
    *outranking(),
    *ranges(),
    *profiled(),
]
