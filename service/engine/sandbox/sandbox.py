"""Confine an engine process before its first job, so that an image that takes it over gains nothing.

The process cannot use more memory, write large files, make files, open many, or dump core. It cannot gain privileges,
start programs or processes, touch other processes, or reach the network. It reads and writes only below its roots.
`enter` returns which of these this kernel cannot enforce.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from service.engine.sandbox import landlock, privileges, seccomp

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 128

_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime"),
    *("/dev/null", "/dev/urandom", "/dev/zero"),
    *(sys.prefix, sys.base_prefix, os.environ.get("MAGICK_HOME") or sys.prefix),
    *(str(Path(__file__).resolve().parents[3] / package) for package in ("service", "gateway")),
)
"""Folders from which Python and ImageMagick load code, fonts and colour profiles; none holds data of users."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The bounds of one engine process.

    `parent` is the process it dies with. `memory` is in bytes, over what it has mapped when it is ready, and also
    the size of the largest file it may write; `seconds` is the CPU time of one job. `readable` and `writable` are
    absolute paths, beside what the system itself needs: the files in them are opened by names that the process knows,
    none is listed and none is made. With `kill` a forbidden system call ends the process.
    """

    parent: int
    memory: int
    seconds: float
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    kill: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Sandbox:
        parts = json.loads(text)
        return cls(**{**parts, "readable": tuple(parts["readable"]), "writable": tuple(parts["writable"])})


def enter(settings: Sandbox) -> dict[str, bool | str]:
    """Confine this process, irrevocably. Each part maps to True, or to the reason why it cannot be enforced."""
    steps: dict[str, Callable[[], bool | str]] = {
        "core files": lambda: _limit(resource.RLIMIT_CORE, 0),
        "open files": lambda: _limit(resource.RLIMIT_NOFILE, _OPEN_FILES),
        "file size": lambda: _limit(resource.RLIMIT_FSIZE, settings.memory),
        "memory": lambda: _limit(resource.RLIMIT_AS, _mapped() + settings.memory),
        "cpu time": lambda: allow_cpu(settings.seconds),
        "capabilities": privileges.drop_capabilities,
        "no new privileges": privileges.forgo_new_privileges,
        "file system": lambda: landlock.restrict(_SYSTEM, settings.readable, settings.writable),
        "system calls": lambda: seccomp.install(kill=settings.kill),
    }
    report = {name: _attempt(step) for name, step in steps.items()}
    return {**report, "network": report["system calls"], "new processes": report["system calls"]}


def sandbox_report() -> dict[str, bool | str]:
    """What `enter` can do on this machine, tried in a process of its own. Raises OSError when that fails."""
    tried = subprocess.run(
        [sys.executable, "-P", "-m", "service.engine.sandbox.sandbox"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        capture_output=True,
        check=False,
        timeout=30,
    )
    if tried.returncode:
        raise OSError(f"the sandbox cannot be tried: {tried.stderr.decode(errors='replace').strip()[-200:]}")
    report: dict[str, bool | str] = json.loads(tried.stdout)
    return report


def die_with(parent: int) -> bool:
    """Have the kernel kill this process when `parent` ends. False when it ended before."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def allow_cpu(seconds: float) -> bool:
    """Let the process use `seconds` of CPU time more, rounded up, plus one; then it gets SIGXCPU.

    The pool's clock is the limit that counts; this one holds when the service itself is stuck.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))
    return True


def _attempt(step: Callable[[], bool | str]) -> bool | str:
    try:
        return step()
    except (OSError, ValueError) as error:
        return str(error)


def _limit(what: int, most: int) -> bool:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
    return True


def _mapped() -> int:
    """Bytes of address space in use, much of it libraries and reserved stacks."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    print(json.dumps(enter(Sandbox(parent=os.getppid(), memory=1 << 30, seconds=1))))
