"""ICC profiles: whole ones, and those that say no more than sRGB (ICC.1:2001-04 and ICC.1:2022)."""

from __future__ import annotations

from service.engine.srgb import is_srgb

MAX_PROFILE = 255 * 65_519  # what a JPEG can hold; a real one has a few MB at most
HEADER = 128


def to_keep(profile: bytes) -> bytes:
    """`profile` cut to its own length where it has to stay; nothing where it is no profile, or is that of sRGB.

    Every viewer takes an image without a profile for sRGB, so leaving that one out changes nothing.
    """
    size = int.from_bytes(profile[:4])
    if profile[36:40] != b"acsp" or not HEADER + 4 <= size <= len(profile):
        return b""
    return b"" if is_srgb(profile[:size]) else profile[:size]
