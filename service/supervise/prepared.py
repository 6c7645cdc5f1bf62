"""What the service that leads says to the supervisor, over a socket of packets that is open for one answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

PACKET = 64 * 1024  # bytes of a packet at most
DESCRIPTORS = 3  # of the two sockets and the lock


@dataclass(frozen=True, slots=True)
class LogOptions:
    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A start or a reload that is prepared. `fixed` are the options that only a new start can change, as texts;
    `trusted` says that nginx may serve the caches before the service is ready: at once, or where the service `settles`
    them when that has said so."""

    runtime: str
    base: str
    public: str
    api: str
    page: bool
    nginx: list[str]
    fixed: dict[str, str]
    trusted: bool
    log: LogOptions
    settles: bool = False


_KNOWN = {field.name for field in fields(Prepared)}


class Refused(Exception):
    """The service that leads refuses to; the text says why, a line for each reason, empty where it has said so."""


def ask(control: socket.socket, fixed: Mapping[str, str]) -> None:
    """Ask for a reload that leaves `fixed` as it is, or for a start where that is empty."""
    control.send(json.dumps({"fixed": dict(fixed)}).encode())


def asked(control: socket.socket) -> dict[str, str]:
    """Return what `ask` sent."""
    return dict(json.loads(control.recv(PACKET))["fixed"])


def refuse(control: socket.socket, why: str) -> None:
    control.send(json.dumps({"refused": why}).encode())


def tell(control: socket.socket, prepared: Prepared, descriptors: list[int]) -> None:
    """Tell that all is prepared, and hand over what was opened for it."""
    socket.send_fds(control, [json.dumps({"prepared": asdict(prepared)}).encode()], descriptors)


async def told(control: socket.socket) -> tuple[Prepared, list[int]]:
    """Wait for `tell`. Raises Refused."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(control, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(control)
    packet, descriptors = b"", list[int]()
    with contextlib.suppress(ConnectionResetError):  # it ended before it read what it was asked
        packet, descriptors, _, _ = socket.recv_fds(control, PACKET, DESCRIPTORS)
    answer: dict[str, Any] = json.loads(packet) if packet else {"refused": ""}
    if "refused" in answer:
        raise Refused(answer["refused"])
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    said = {key: value for key, value in answer["prepared"].items() if key in _KNOWN}  # of a newer release, maybe
    return Prepared(**{**said, "log": LogOptions(**said["log"])}), descriptors
