"""Which of the names that a store happens to hold are names of images, and what it calls a derived one."""

from __future__ import annotations

import hashlib

from gateway.errors import Refused
from gateway.names import check_image
from gateway.paths import LONGEST_SEGMENT


def is_image_name(name: bytes) -> bool:
    """Whether what lies in a store of originals can be asked for at all."""
    try:
        check_image(name.decode())
    except (UnicodeDecodeError, Refused):
        return False
    return True


def storable(name: str) -> str:
    """The name of a derived image as a file system holds it: its recipe, or the SHA-256 of one that is too long."""
    image, _, leaf = name.rpartition("/")
    if len(leaf.encode()) <= LONGEST_SEGMENT:
        return name
    return f"{image}/@{hashlib.sha256(leaf.encode()).hexdigest()}.{leaf.rpartition('.')[2]}"
