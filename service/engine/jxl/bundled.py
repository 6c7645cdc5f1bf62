"""The libjxl of the wheel of imagecodecs, which is never imported: it is one release wherever it is installed.

Debian's releases have libjxl 0.7 and 0.11, which write other bytes of the same pixels.
"""

from __future__ import annotations

import ctypes
from importlib.machinery import PathFinder
from pathlib import Path

_PACKAGE = "imagecodecs"
_NEEDED = ("libbrotlicommon", "libbrotlidec", "libbrotlienc", "liblcms2", "libjxl_cms")
"""What libjxl calls, in this order. The wheel's files do not say where they lie, so these are loaded before it."""


def load() -> ctypes.CDLL | None:
    """Return None where the package is not installed, or its wheel has no libjxl that loads here."""
    found = PathFinder.find_spec(_PACKAGE)
    place = next(iter((found and found.submodule_search_locations) or ()), None)
    if place is None:
        return None
    folder = Path(place).with_name(f"{_PACKAGE}.libs")
    try:
        for name in _NEEDED:
            for file in folder.glob(f"{name}-*"):
                ctypes.CDLL(str(file))
        return next((ctypes.CDLL(str(file)) for file in folder.glob("libjxl-*")), None)
    except OSError:
        return None
