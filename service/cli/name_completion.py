"""The names of images that a shell's completion offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.shell_completion import CompletionItem

from service.cli.connection import remote
from service.client import calls
from service.runtime.configuration import read_config

MOST = 1000  # names of one level


def complete_name(file: Path | None, api: str | None, incomplete: str) -> list[Any]:
    """The images and folders of one level that begin with `incomplete`. None where the gateway does not answer."""
    try:
        with remote(read_config(file)[0], api).connect() as gateway:
            page = gateway.call(calls.listing(incomplete, delimiter="/", limit=MOST))
    except Exception:  # a shell that completes has no place for a message
        return []
    return [CompletionItem(name) for name in sorted([*page.folders, *(image.name for image in page.images)])]
