"""ICC profiles with tables, curves and float elements, versions 2 and 4, that hold SECRET wherever a profile has room.

Written byte by byte from ICC.1:2001-04 and ICC.1:2022. Colours are nonsense, but the same nonsense every time.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping

from tests.profiles import D50, PRIMARIES

SECRET = b"xyzzy-secret"  # as in tests/metadata.py; twelve bytes, so that it keeps elements aligned
_V4, _V2 = 0x04300000, 0x02400000


def everywhere() -> dict[str, bytes]:
    """Profiles by what they are, every one with the secret in each place that holds bytes for free."""
    rgb, gray = (b"mntr", b"RGB "), (b"mntr", b"GRAY")
    return {
        "matrix v2": profile(*rgb, b"XYZ ", _matrix(_gamma(2.2))),
        "matrix v4": profile(*rgb, b"XYZ ", _matrix(_parametric()) | {"chad": _chad(), "cicp": _cicp()}, _V4),
        "matrix sampled": profile(*rgb, b"XYZ ", _matrix(_sampled(64))),
        "gray v2": profile(*gray, b"XYZ ", {"kTRC": _gamma(1.8), "wtpt": xyz(D50)}),
        "gray v4": profile(*gray, b"XYZ ", {"kTRC": _parametric(), "wtpt": xyz(D50)}, _V4),
        "rgb mft1": profile(b"scnr", b"RGB ", b"Lab ", _both(mft1(3, 3), mft1(3, 3))),
        "rgb mft2": profile(*rgb, b"Lab ", _both(mft2(3, 3), mft2(3, 3))),
        "rgb mft2 and matrix": profile(*rgb, b"XYZ ", _matrix(_gamma(2.0)) | _both(mft2(3, 3), mft2(3, 3))),
        "rgb mAB": profile(*rgb, b"Lab ", _both(lut(b"mAB ", 3, 3), lut(b"mBA ", 3, 3)), _V4),
        "rgb mAB without a table": profile(*rgb, b"XYZ ", {"A2B0": lut(b"mAB ", 3, 3, table=False)}, _V4),
        "rgb floats": profile(*rgb, b"XYZ ", _matrix(_parametric()) | {"D2B0": mpet(), "D2B1": mpet()}, _V4),
        "cmyk mft1": profile(b"prtr", b"CMYK", b"Lab ", _both(mft1(4, 3), mft1(3, 4))),
        "cmyk mft2": profile(b"prtr", b"CMYK", b"Lab ", _both(mft2(4, 3), mft2(3, 4))),
        "cmyk mAB": profile(b"prtr", b"CMYK", b"Lab ", _both(lut(b"mAB ", 4, 3), lut(b"mBA ", 3, 4)), _V4),
    }


def profile(kind: bytes, space: bytes, connection: bytes, tags: Mapping[str, bytes], version: int = _V2) -> bytes:
    """A profile with these tags, more that name people, and the secret between, behind and within all of them."""
    private = {"desc": _description(), "cprt": b"text\0\0\0\0" + SECRET + b"\0", "dmnd": _description()}
    private |= dict.fromkeys(
        ("targ", "priv", "Secr", "meta", "vcgt", "chrm"), b"text\x00\x00\x00\x00" + SECRET + b"\x00"
    )
    private |= {"mmod": b"mmod\0\0\0\0" + SECRET * 3, "MS00": SECRET, "lumi": xyz(D50) + SECRET}
    every = {**private, **tags}
    table, body, start = struct.pack(">I", len(every)), b"", 128 + 4 + 12 * len(every) + len(SECRET)
    for name, element in every.items():
        content = element + (SECRET if name in tags else b"")
        table += name.encode() + struct.pack(">II", start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4) + SECRET
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"xyzz", version, kind, space, connection)
    header += struct.pack(">6H", 2026, 1, 2, 3, 4, 5) + b"acsp" + SECRET[:4] + b"\0\0\0\0" + SECRET  # maker, model, ...
    header += b"\0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in D50)) + b"xyzz"
    return (header + SECRET * 4)[:128].ljust(128, b"\0") + table + SECRET + body


def xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def mft1(given: int, got: int) -> bytes:
    head = b"mft1\0\0\0\0" + bytes((given, got, 5, 0x78)) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + bytes(range(256)) * given + _values(given, got, 5, 1) + bytes(range(255, -1, -1)) * got


def mft2(given: int, got: int, points: int = 4) -> bytes:
    head = (
        b"mft2\0\0\0\0"
        + bytes((given, got, points, 0x78))
        + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
        + struct.pack(">HH", 3, 2)
    )
    curve = struct.pack(">3H", 0, 30000, 65535)
    return head + curve * given + _values(given, got, points, 2) + struct.pack(">2H", 100, 65000) * got


def lut(kind: bytes, given: int, got: int, *, table: bool = True) -> bytes:
    """lutAToBType or lutBToAType with all its parts, in an unusual order and with the secret between them."""
    connection, device = (got, given) if kind == b"mAB " else (given, got)
    points = bytes((4, 3, 5, 3)[:given]).ljust(16, b"\x78")
    grid = points + bytes((2, 0x78, 0x79, 0x7A)) + _shaped(points[:given], got)
    parts = {4: _curves(_parametric(), device), 3: grid} if table else {}
    parts |= {2: _curves(_gamma(1.1), connection), 0: _curves(_sampled(5), connection)}
    parts[1] = _fixed(0.9, 0.1, 0, 0, 0.95, 0.05, 0.02, 0, 0.9, 0.01, 0.0, 0.02)
    places, body = [0] * 5, SECRET
    for number, part in parts.items():
        places[number] = 32 + len(body)
        body += part + b"\0" * (-len(part) % 4) + SECRET
    return kind + b"\0\0\0\0" + bytes((given, got)) + b"xy" + struct.pack(">5I", *places) + body


def mpet() -> bytes:
    """Curves, a matrix and a table of floats (ICC.1:2022, 10.17), the secret between and behind them."""
    formula = b"parf\0\0\0\0" + struct.pack(">HH4f", 0, 0x7879, 1.8, 1.0, 0.0, 0.0)
    samples = b"samf\0\0\0\0" + struct.pack(">I2f", 2, 1.0, 1.1)
    curve = b"curf\0\0\0\0" + struct.pack(">HHf", 2, 0x7879, 1.0) + formula + samples + SECRET
    places = b"".join(struct.pack(">II", 36 + len(SECRET), len(curve)) for _ in range(3))
    curves = b"cvst\0\0\0\0" + struct.pack(">HH", 3, 3) + places + SECRET + curve
    matrix = b"matf\0\0\0\0" + struct.pack(">HH12f", 3, 3, 0.5, 0.2, 0.1, 0.3, 0.6, 0.1, 0, 0.1, 0.7, 0, 0.01, 0)
    values = [((7 * i) % 11) / 11 for i in range(3**3 * 3)]
    grid = b"clut\0\0\0\0" + struct.pack(">HH", 3, 3) + bytes((3, 3, 3)).ljust(16, b"\x78")
    grid += struct.pack(f">{len(values)}f", *values)
    places, body = b"", SECRET
    for part in (curves, matrix, grid):
        places += struct.pack(">II", 16 + 24 + len(body), len(part) + len(SECRET))
        body += part + SECRET
    return b"mpet\0\0\0\0" + struct.pack(">HHI", 3, 3, 3) + places + body


def _both(forward: bytes, backward: bytes) -> dict[str, bytes]:
    return {"wtpt": xyz(D50), "A2B0": forward, "A2B1": forward, "B2A0": backward, "B2A1": backward}


def _matrix(curve: bytes) -> dict[str, bytes]:
    red, green, blue = PRIMARIES["Adobe RGB (1998)"]
    tags = {"wtpt": xyz(D50), "rXYZ": xyz(red), "gXYZ": xyz(green), "bXYZ": xyz(blue)}
    return tags | {"rTRC": curve, "gTRC": curve, "bTRC": curve}


def _curves(curve: bytes, count: int) -> bytes:
    return (curve + b"\0" * (-len(curve) % 4)) * count


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def _sampled(count: int) -> bytes:
    values = (round(65535 * (i / (count - 1)) ** 1.7) for i in range(count))
    return b"curv\0\0\0\0" + struct.pack(f">I{count}H", count, *values)


def _parametric() -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", 3, 0x7879) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def _chad() -> bytes:
    return b"sf32\0\0\0\0" + _fixed(1.0479, 0.0229, -0.0502, 0.0296, 0.9905, -0.0171, -0.0092, 0.0151, 0.7517)


def _cicp() -> bytes:
    return b"cicp\0\0\0\0" + bytes((9, 16, 0, 1))


def _values(given: int, got: int, points: int, width: int) -> bytes:
    return _shaped(bytes([points] * given), got, width)


def _shaped(points: bytes, got: int, width: int = 2) -> bytes:
    """A table whose values follow the inputs, bent a little, so that every part of it counts."""
    top = 255 if width == 1 else 65535
    rows = []
    for place in itertools.product(*(range(count) for count in points)):
        share = [at / (count - 1) for at, count in zip(place, points, strict=True)]
        for output in range(got):
            rows.append(round(top * (0.1 + 0.8 * share[output % len(share)] ** 1.3 * (1 - 0.1 * share[-1]))))
    return struct.pack(f">{len(rows)}{'B' if width == 1 else 'H'}", *rows)


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _description() -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(SECRET) + 1) + SECRET + b"\0" * (1 + 4 + 4 + 2 + 1 + 67)
