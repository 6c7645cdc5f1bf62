"""What lies in the outbox of a gateway: read past it, from the disk or by Swift's own client."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.gateways import Gateway
from tests.swift.stores import client

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the specification of Standard Webhooks."""


def in_folder(root: Path, part: str) -> list[str]:
    """The objects of a part of the outbox, `outbox`, `dead` or `alive`, on a directory store."""
    try:
        return sorted(file.name for file in (root / part).glob("*"))
    except FileNotFoundError:  # the folder goes with the last of its files, and may go meanwhile
        return []


def in_swift(url: str, options: Mapping[str, Any], part: str) -> list[str]:
    """The same on Swift, in the container that is named after that of the originals."""
    container = f"{options['store']['swift']['container']}-journal"
    with contextlib.closing(client(url)) as connection:
        _, found = connection.get_container(container, prefix=f"{part}/", full_listing=True)
    return [one["name"].removeprefix(f"{part}/") for one in found]


def metric(gateway: Gateway, name: str, kind: str = "") -> float:
    """The value of one of the outbox's metrics."""
    label = f'{{kind="{kind}"}}' if kind else ""
    wanted = f"image_gateway_outbox_{name}{label} "
    (line,) = [line for line in gateway.api.get("/metrics").text.splitlines() if line.startswith(wanted)]
    return float(line.removeprefix(wanted))
