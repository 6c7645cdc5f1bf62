"""How an engine process shares the cores: it yields to the service, and not to other programs on the machine.

Linux weighs nice values among the tasks of one group only. A group is a control group with the cpu controller, or else
the session, where the kernel has autogroups (sched(7)). An engine process stays in the session of the service, so the
two are one group, which has the weight of any other. Where there are no groups, nice values count against everybody,
and the process keeps that of the service.
"""

from __future__ import annotations

import os
from pathlib import Path

NICENESS = 5
"""As of nice(1): a third of the share of a process of the usual one, while both want the core."""

_AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")
_OWN_GROUPS = Path("/proc/self/cgroup")
_UNIFIED = Path("/sys/fs/cgroup")


def stand_back() -> None:
    """Leave the cores to the service when it wants them: refusals and answers do not wait for engine work."""
    if is_grouped():
        os.nice(NICENESS)


def is_grouped() -> bool:
    """Whether the kernel weighs this process within a group of tasks, and that group against others."""
    return _has_autogroups() or _has_cpu_group()


def _has_autogroups() -> bool:
    try:
        return _AUTOGROUP.read_text().strip() == "1"
    except OSError:
        return False


def _has_cpu_group() -> bool:
    """A line of the file is `number:controllers:path`; the unified hierarchy names no controllers."""
    try:
        lines = [line.split(":", 2) for line in _OWN_GROUPS.read_text().splitlines()]
    except OSError:
        return False
    for _, controllers, path in lines:
        if "cpu" in controllers.split(",") and path != "/":
            return True
        if not controllers and (_UNIFIED / path.lstrip("/") / "cpu.weight").exists():
            return True
    return False
