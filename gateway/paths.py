"""Compute the paths of derived files below a root. Twin of paths.lua.

Hashed names lie under `@/`, which no image name can reach, in one folder per image.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

LONGEST_SEGMENT = 255  # bytes, NAME_MAX of every file system in use
MARKER = "@base"
SMALLER = "@smaller"
REMEMBERED = 1024
"""Images whose folders are remembered: each is asked for about ten times while an image is made."""


def file_path(image: str, leaf: str, extension: str) -> str:
    """The path of a leaf of an image: `image/leaf`, or its hash where a segment is longer than 255 bytes."""
    folder, held = folder_path(image)
    if held and len(leaf.encode()) <= LONGEST_SEGMENT:
        return f"{folder}/{leaf}"
    return f"{hashed_folder(image)}/{_sha256(f'{image}/{leaf}')}.{extension}"


def ending_path(image: str, leaf: str, extension: str) -> str:
    """The path of a leaf of an image whose original has an end: a hash, so no request is its path as it stands."""
    return f"{hashed_folder(image)}/{_sha256(f'{image}/{leaf}')}.ending.{extension}"


def marker_path(image: str) -> str:
    """The marker of an image (see marker.py), in the folder of what was derived of it."""
    folder, _ = folder_path(image)
    return f"{folder}/{MARKER}"


def smaller_path(image: str) -> str:
    """The file beside the marker that notes which formats do not pay for the whole image (see marker.py)."""
    folder, _ = folder_path(image)
    return f"{folder}/{SMALLER}"


@lru_cache(REMEMBERED)
def folder_path(image: str) -> tuple[str, bool]:
    """The folder that holds what was derived of an image, and whether it is the image's own name."""
    if all(len(segment.encode()) <= LONGEST_SEGMENT for segment in image.split("/")):
        return image, True
    return hashed_folder(image), False


@lru_cache(REMEMBERED)
def hashed_folder(image: str) -> str:
    """The folder for what of an image cannot lie under its own name."""
    return f"@/{_sha256(image)}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
