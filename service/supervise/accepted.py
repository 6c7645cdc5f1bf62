"""The configuration in force: a copy in the runtime folder, since its file may be newer, and wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from service.runtime.naming import named

if TYPE_CHECKING:
    from gateway.settings import Config

ACCEPTED = "accepted.yaml"  # in the runtime folder
NEXT = "accepted.next.yaml"  # what a reload is about to put in its place
NEXT_NGINX = "nginx.next"  # the files that a reload is about to put into nginx's folder
FIXED: dict[str, Callable[[Config], object]] = {
    "public.listen": lambda config: config.public.listen,
    "api.listen": lambda config: config.api.listen,
    "cache.root": lambda config: config.cache.root,
    "runtime.root": lambda config: config.runtime.root,
}
"""What only a new start can change: what the supervisor holds open, and what both nginx and the service stand on."""


def write_private(path: Path, text: str) -> None:
    """Write a file that may hold secrets, whole or not at all."""
    unfinished = path.with_name(f".{path.name}")
    with (
        named(unfinished),
        os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file,
    ):
        file.write(text)
    unfinished.replace(path)
