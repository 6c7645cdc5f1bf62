"""Libraries in the wheel of imagecodecs, which is never imported: each is one release wherever the wheel is installed.

Debian's releases have libjxl 0.7 and 0.11, which write other bytes of the same pixels.
"""

from __future__ import annotations

import ctypes
from importlib.machinery import PathFinder
from pathlib import Path

_PACKAGE = "imagecodecs"


def load(library: str, needed: tuple[str, ...] = ()) -> ctypes.CDLL | None:
    """Load a library by its name without version, such as `libjxl`, after those that it calls, in this order: the
    wheel's files do not say where they lie. Return None where the package is not installed, or its wheel has no such
    library that loads here."""
    package = _package()
    if package is None:
        return None
    folder = package.with_name(f"{_PACKAGE}.libs")
    try:
        for name in needed:
            for file in folder.glob(f"{name}-*"):
                ctypes.CDLL(str(file))
        return next((ctypes.CDLL(str(file)) for file in folder.glob(f"{library}-*")), None)
    except OSError:
        return None


def load_module(name: str) -> ctypes.CDLL | None:
    """Load an extension module that holds a library and exports its functions, such as `_spng`, and do not import it.
    Return None as `load` does."""
    package = _package()
    try:
        return next((ctypes.CDLL(str(file)) for file in package.glob(f"{name}.*.so")), None) if package else None
    except OSError:
        return None


def _package() -> Path | None:
    found = PathFinder.find_spec(_PACKAGE)
    place = next(iter((found and found.submodule_search_locations) or ()), None)
    return Path(place) if place else None
