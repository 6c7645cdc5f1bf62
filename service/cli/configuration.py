"""What options may be, and how a command tells an error of the system: in words of our own."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gateway.errors import Refused
from gateway.names import check_image

LONGEST_LIFETIME = 10**9  # seconds: 31 years


def up_to(most: int) -> Callable[[str], int]:
    """Reads an option that is a whole number from 1 to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text}: must be a whole number from 1 to {most}")
        return int(text)

    return read


def folder(text: str) -> str:
    """Reads a folder of the repository, without slashes around it; empty for all of the repository."""
    name = text.strip("/")
    try:
        return name and check_image(name)
    except Refused as refused:
        raise argparse.ArgumentTypeError(f"{text}: {refused.detail}") from None


def plainly(error: OSError) -> str:
    """Which file, and why."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
