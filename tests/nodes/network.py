"""Machines for tests: network namespaces of this process, each on a cable of its own to one switch.

Nothing outside sees them, or is seen by them. They have no names and leave nothing behind: the kernel drops a namespace
when the file that this process has open on it is closed, however the process ends, and nobody is inside any more.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.waiting import PATIENCE

CLONE_NEWNET = 0x40000000  # sched.h
HERE = "/proc/thread-self/ns/net"
LIBC = ctypes.CDLL(None, use_errno=True)


class Machine:
    """A network namespace, with loopback and whatever `ip` is told to put there."""

    def __init__(self) -> None:
        with _returning():
            _check(LIBC.unshare(CLONE_NEWNET))
            self._file = os.open(HERE, os.O_RDONLY)
            ip("link set lo up")

    @property
    def path(self) -> str:
        """The namespace, as `ip` takes it."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Meanwhile the sockets that this thread opens, and the processes that it starts, are this machine's."""
        with _returning():
            _check(LIBC.setns(self._file, CLONE_NEWNET))
            yield

    def ip(self, words: str) -> None:
        with self.entered():
            ip(words)

    def processes(self) -> list[int]:
        """Every process here, the youngest first."""
        wanted, found = os.fstat(self._file).st_ino, []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and (folder / "ns/net").stat().st_ino == wanted:
                    found.append(int(folder.name))
        return sorted(found, reverse=True)

    def kill_all(self) -> None:
        """End every process here as a power cut does: none can do anything about it. Raises AssertionError."""
        end = time.monotonic() + PATIENCE
        while pids := self.processes():
            assert time.monotonic() < end, f"the processes {pids} do not die"
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        os.close(self._file)


class Network:
    """A hub with the address `hub_address`, holding the switch, and a machine on it for each of `addresses`."""

    def __init__(self, hub_address: str, addresses: list[str]) -> None:
        self._stack = contextlib.ExitStack()
        self.hub = self._machine()
        self.hub.ip("link add switch type bridge")
        self.hub.ip(f"address add {hub_address}/24 dev switch")
        self.hub.ip("link set switch up")
        self.machines = [self._join(number, address) for number, address in enumerate(addresses)]

    def cut(self, number: int) -> None:
        """Pull the cable of a machine: what is sent to it, or by it, is lost without a word."""
        self.hub.ip(f"link set cable{number} down")

    def restore(self, number: int) -> None:
        self.hub.ip(f"link set cable{number} up")

    def close(self) -> None:
        self._stack.close()

    def _machine(self) -> Machine:
        machine = Machine()
        self._stack.callback(machine.close)
        return machine

    def _join(self, number: int, address: str) -> Machine:
        machine = self._machine()
        self.hub.ip(f"link add cable{number} type veth peer name eth0 netns {machine.path}")
        self.hub.ip(f"link set cable{number} master switch up")
        machine.ip(f"address add {address}/24 dev eth0")
        machine.ip("link set eth0 up")
        return machine


def ip(words: str) -> None:
    """iproute2's ip, in this thread's namespace. Raises CalledProcessError."""
    subprocess.run(["ip", *words.split()], check=True)


@contextlib.contextmanager
def _returning() -> Iterator[None]:
    """Afterwards this thread is in the namespace where it was before."""
    home = os.open(HERE, os.O_RDONLY)
    try:
        yield
    finally:
        _check(LIBC.setns(home, CLONE_NEWNET))
        os.close(home)


def _check(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"network namespaces need root: {os.strerror(code)}")
