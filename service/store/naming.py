"""Which of the names that a store happens to hold are names of images."""

from __future__ import annotations

from gateway.errors import Refused
from gateway.names import check_image


def is_image_name(name: bytes) -> bool:
    """Whether what lies in a store of originals can be asked for at all."""
    try:
        check_image(name.decode())
    except (UnicodeDecodeError, Refused):
        return False
    return True
