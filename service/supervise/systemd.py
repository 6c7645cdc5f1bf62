"""Notify systemd of a service of `Type=notify`, see sd_notify(3). Does nothing where no systemd listens."""

from __future__ import annotations

import contextlib
import os
import socket
import time

_socket = os.environ.pop("NOTIFY_SOCKET", "")  # taken out, so that no child speaks in our name


def ready() -> None:
    """It serves, since the start or again after a reload."""
    _notify("READY=1")


def reloading() -> None:
    _notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def stopping() -> None:
    _notify("STOPPING=1")


def _notify(state: str) -> None:
    if not _socket:
        return
    address = "\0" + _socket[1:] if _socket.startswith("@") else _socket
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as plug:
        plug.sendto(state.encode(), address)
