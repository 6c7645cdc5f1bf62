"""ICC profiles for test images, built from published primaries: version 2 matrix, gray and lookup-table profiles.

The D50-adapted colorants are those of the profiles that ship with the standards (ICC registry of RGB spaces).
`ImageCms` of Pillow makes only sRGB; the rest is written here byte by byte (ICC.1:2001-04).
"""

from __future__ import annotations

import itertools
import struct

from PIL import ImageCms

D50 = (0.9642, 1.0, 0.8249)
PRIMARIES = {
    "sRGB": ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)),
    "Display P3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    "Adobe RGB (1998)": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    "ProPhoto RGB": ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)),
}


def srgb() -> bytes:
    """The sRGB profile of Little CMS (its description is `sRGB built-in`)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + profile[36:]  # the date of the day otherwise


def display_p3() -> bytes:
    """Wide gamut with gamma 2.2 in place of the sRGB curve, which is all that a test of conversion needs."""
    return matrix("Display P3", 2.2)


def adobe_rgb() -> bytes:
    return matrix("Adobe RGB (1998)", 563 / 256)


def prophoto() -> bytes:
    return matrix("ProPhoto RGB", 1.8)


def matrix(space: str, gamma: float | None, description: str | None = None) -> bytes:
    """An RGB display profile with the primaries of `space` (a key of PRIMARIES) and one gamma for all channels; where
    that is None, with the curve of sRGB."""
    red, green, blue = PRIMARIES[space]
    curve = _srgb_curve() if gamma is None else _curve(gamma)
    tags = {"desc": _description(description or space), "cprt": b"text\0\0\0\0none\0", "wtpt": _xyz(D50)}
    tags |= {"rXYZ": _xyz(red), "gXYZ": _xyz(green), "bXYZ": _xyz(blue)}
    tags |= {"rTRC": curve, "gTRC": curve, "bTRC": curve}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def gray(gamma: float = 1.8) -> bytes:
    """A gray display profile of one gamma."""
    tags = {"desc": _description(f"Gray gamma {gamma}"), "cprt": b"text\0\0\0\0none\0", "wtpt": _xyz(D50)}
    return _profile(b"mntr", b"GRAY", b"XYZ ", tags | {"kTRC": _curve(gamma)})


def cmyk() -> bytes:
    """A CMYK output profile: a lookup table of the sixteen corners, inks mixing as light multiplies."""
    inks = ((0.0, 0.6, 0.9), (0.9, 0.1, 0.5), (1.0, 0.95, 0.05))
    corners = bytearray()
    for amounts in itertools.product((0, 1), repeat=4):
        rgb = [0.95 * (0.04 if amounts[3] else 1.0)] * 3
        for amount, ink in zip(amounts, inks, strict=False):
            rgb = [value * (absorbed if amount else 1.0) for value, absorbed in zip(rgb, ink, strict=True)]
        corners += bytes(_lab8(rgb))
    identity = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0))
    table += b"".join(struct.pack(">i", 65536 if row == column else 0) for row in range(3) for column in range(3))
    table += identity * 4 + bytes(corners) + identity * 3
    tags = {"desc": _description("Test inks"), "cprt": b"text\0\0\0\0none\0", "wtpt": _xyz(D50), "A2B0": table}
    return _profile(b"prtr", b"CMYK", b"Lab ", tags)


def _lab8(rgb: list[float]) -> list[int]:
    """Linear light in sRGB's primaries to the 8-bit Lab of mft1 (L 0..100 as 0..255, a and b offset by 128)."""
    xyz = [
        sum(value * primary[i] for value, primary in zip(rgb, PRIMARIES["sRGB"], strict=True)) / D50[i]
        for i in range(3)
    ]
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in xyz)
    lab = ((116 * fy - 16) * 2.55, 500 * (fx - fy) + 128, 200 * (fy - fz) + 128)
    return [min(255, max(0, round(value))) for value in lab]


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[str, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name.encode() + struct.pack(">II", start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, kind, space, connection)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    header += struct.pack(">3i", *(round(value * 65536) for value in D50))
    return header.ljust(128, b"\0") + table + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _srgb_curve() -> bytes:
    """IEC 61966-2-1 in 1024 points."""
    points = (point / 1023 for point in range(1024))
    light = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in points]
    return b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *(round(value * 65535) for value in light))


def _description(text: str) -> bytes:
    ascii_text = text.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + b"\0" * (4 + 4 + 2 + 1 + 67)
