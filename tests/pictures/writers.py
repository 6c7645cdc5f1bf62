"""Write files of one colour with a given statement of it: PNG byte by byte, other formats by encoders."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
import pillow_heif
import pyvips
from PIL import Image

from tests import images

WIDTH, HEIGHT = 64, 48
SIZE = WIDTH, HEIGHT


def png(samples: Sequence[float], depth: int, chunks: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """Samples in 0..1: gray, gray and alpha, RGB or RGBA by their number."""
    most = (1 << depth) - 1
    pixel = np.array([round(value * most) for value in samples]).astype(">u2" if depth == 16 else "u1").tobytes()
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[len(samples)]
    rows = (b"\0" + pixel * WIDTH) * HEIGHT
    head = struct.pack(">IIBBBBB", *SIZE, depth, colour_type, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(images.png_chunk(*part) for part in parts)


def cicp(primaries: int, transfer: int, *, full: bool = True) -> tuple[bytes, bytes]:
    return b"cICP", bytes((primaries, transfer, 0, full))


def gama(exponent: float) -> tuple[bytes, bytes]:
    """Of a decoder: 2.2 is written as 45455."""
    return b"gAMA", struct.pack(">I", round(100000 / exponent))


def chrm(points: Sequence[tuple[float, float]]) -> tuple[bytes, bytes]:
    """Red, green, blue, white as `reference` has them; the file has white first."""
    values = [value for point in (points[3], *points[:3]) for value in point]
    return b"cHRM", struct.pack(">8I", *(round(value * 100000) for value in values))


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"x\0\0" + zlib.compress(profile)


SRGB = (b"sRGB", b"\0")


def pillow(samples: Sequence[float], kind: str, **options: object) -> bytes:
    """By one of Pillow's encoders, 8 bits a sample."""
    pixel = tuple(round(value * 255) for value in samples)
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[len(pixel)]
    return images.encode(Image.new(mode, SIZE, pixel if len(pixel) > 1 else pixel[0]), kind, **options)


def avif(samples: Sequence[float], nclx: tuple[int, int, int, bool] = (1, 13, 6, True), **options: object) -> bytes:
    """Pixels are coded in full range with the matrix of BT.601, whatever `nclx` says of them.

    It says primaries, transfer function, matrix and whether the range is full.
    """
    data = bytearray(pillow(samples, "AVIF", quality=100, subsampling="4:4:4", **options))
    at = data.index(b"colrnclx") + 8
    data[at : at + 7] = struct.pack(">HHHB", *nclx[:3], nclx[3] << 7)
    return bytes(data)


def avif_in_stream(samples: Sequence[float], primaries: int, transfer: int) -> bytes:
    """An AVIF that has no `nclx`: the sequence header of AV1 says it, whose fields begin at any bit (5.5.2)."""
    data = avif(samples).replace(b"colrnclx", b"freenclx")
    start = data.index(b"mdat") + 4
    stream = "".join(f"{byte:08b}" for byte in data[start : start + 24])
    encoded, stated = (
        "1" + "".join(f"{value:08b}" for value in values) for values in ((1, 13, 6), (primaries, transfer, 6))
    )
    assert stream.count(encoded) == 1
    changed = int(stream.replace(encoded, stated), 2).to_bytes(24)
    return data[:start] + changed + data[start + 24 :]


def deep_avif(samples: Sequence[float], depth: int, numbers: tuple[int, int], icc: bytes | None = None) -> bytes:
    """10 or 12 bits a sample, by libheif's and libaom's encoders through libvips, without loss: in RGB (matrix 0).

    `numbers` are primaries and transfer function, in `nclx` and in AV1's own header, which agrees with it before.
    """
    pixel = np.array([round(value * 65535) for value in samples], np.uint16)
    image = pyvips.Image.new_from_array(np.broadcast_to(pixel, (HEIGHT, WIDTH, len(pixel))).copy())
    image = image.copy(interpretation="rgb16")
    if icc:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    data: bytes = image.heifsave_buffer(
        compression="av1", bitdepth=depth, lossless=True, subsample_mode="off", keep="icc"
    )
    return data.replace(
        b"colrnclx" + struct.pack(">HHHB", 1, 13, 0, 0x80), b"colrnclx" + struct.pack(">HHHB", *numbers, 0, 0x80)
    )


def heic(
    samples: Sequence[float],
    depth: int = 8,
    nclx: tuple[int, int, int, bool] = (1, 13, 6, True),
    icc: bytes | None = None,
) -> bytes:
    """By libheif's encoder, which codes with the matrix and range that `nclx` says."""
    most = 65535 if depth > 8 else 255
    pixel = np.array([round(value * most) for value in samples]).astype("<u2" if depth > 8 else "u1").tobytes()
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[len(samples)] + (";16" if depth > 8 else "")
    pillow_heif.options.SAVE_HDR_TO_12_BIT = depth == 12
    made = pillow_heif.from_bytes(mode, SIZE, pixel * (WIDTH * HEIGHT))
    names = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "full_range_flag")
    buffer = io.BytesIO()
    profile = {} if icc is None else {"icc_profile": icc}
    made.save(buffer, quality=-1, chroma=444, **dict(zip(names, map(int, nclx), strict=True)), **profile)
    return buffer.getvalue()


def heic_in_stream(samples: Sequence[float], depth: int, nclx: tuple[int, int, int, bool]) -> bytes:
    """A HEIC that has no `colr` box: the parameter set of HEVC says it, as x265 writes it (H.265, E.2.1)."""
    return heic(samples, depth, nclx).replace(b"colrnclx", b"freenclx")


def tiff(samples: Sequence[float], depth: int, icc: bytes | None = None) -> bytes:
    """Baseline TIFF (TIFF 6.0), uncompressed, in one strip; alpha is unassociated."""
    most = (1 << depth) - 1
    pixel = np.array([round(value * most) for value in samples]).astype("<u2" if depth == 16 else "u1").tobytes()
    count, data = len(samples), pixel * (WIDTH * HEIGHT)
    gray = count < 3
    bits = struct.pack(f"<{count}H", *[depth] * count)
    extra: list[tuple[int, int, int, bytes]] = [(338, 3, 1, struct.pack("<H", 2))] if count in (2, 4) else []
    entries = [
        (256, 4, 1, struct.pack("<I", WIDTH)),
        (257, 4, 1, struct.pack("<I", HEIGHT)),
        (258, 3, count, bits),
        (259, 3, 1, struct.pack("<H", 1)),
        (262, 3, 1, struct.pack("<H", 1 if gray else 2)),
        (273, 4, 1, b""),
        (277, 3, 1, struct.pack("<H", count)),
        (278, 4, 1, struct.pack("<I", HEIGHT)),
        (279, 4, 1, struct.pack("<I", len(data))),
        *extra,
        *([(34675, 7, len(icc), icc)] if icc else []),
    ]
    start = 8 + 2 + 12 * len(entries) + 4
    beyond = b"".join(content + bytes(len(content) % 2) for *_, content in entries if len(content) > 4)
    table, at = struct.pack("<H", len(entries)), start
    for tag, kind, number, content in entries:
        value = struct.pack("<I", start + len(beyond)) if tag == 273 else content.ljust(4, b"\0")
        if len(content) > 4:
            value, at = struct.pack("<I", at), at + len(content) + len(content) % 2
        table += struct.pack("<HHI", tag, kind, number) + value
    return b"II*\0\x08\0\0\0" + table + bytes(4) + beyond + data
