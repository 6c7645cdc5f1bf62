"""Other programs on the machine: they spin, each in a session of its own, as if other people had started them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.gateways import Gateway

_SPIN = "while True: pass"


@contextlib.contextmanager
def spinning(count: int) -> Iterator[list[int]]:
    """Run so many neighbours of the usual priority while the block runs; yields their ids."""
    started = [subprocess.Popen([sys.executable, "-c", _SPIN], start_new_session=True) for _ in range(count)]
    try:
        yield [one.pid for one in started]
    finally:
        for one in started:
            one.kill()
            one.wait()


@contextlib.contextmanager
def as_nice_as_the_service(gateway: Gateway) -> Iterator[None]:
    """Give the engine processes the priority of the service while the block runs. Raises PermissionError where only
    root may."""
    (service,) = gateway.pids("service serve")
    before = {pid: os.getpriority(os.PRIO_PROCESS, pid) for pid in gateway.pids("service.engine.pool.worker")}
    try:
        for pid in before:
            os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, service))
        yield
    finally:
        for pid, priority in before.items():
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, pid, priority)
