"""The system calls that an engine process may make, with their numbers on each machine.

The list is what all formats and operations made under strace, in both libraries, with Debian 12, and what other
versions of the C library, Python and ImageMagick make in place of these. Numbers are from asm/unistd_64.h and
asm-generic/unistd.h; None where the machine has no such call.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

Numbers = tuple[int | None, int | None]
"""On x86_64, and on aarch64."""

COLUMNS = {"x86_64": 0, "aarch64": 1}

FILES: dict[str, Numbers] = {
    "access": (21, None),
    "close": (3, 57),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fadvise64": (221, 223),
    "fstat": (5, 80),
    "ftruncate": (77, 46),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "lseek": (8, 62),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "open": (2, None),
    "openat": (257, 56),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "stat": (4, None),
    "statx": (332, 291),
    "write": (1, 64),
    "writev": (20, 66),
}
"""Which files these reach, Landlock decides."""

MEMORY: dict[str, Numbers] = {
    "brk": (12, 214),
    "madvise": (28, 233),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
}

THREADS: dict[str, Numbers] = {
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "poll": (7, None),
    "ppoll": (271, 73),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "sigaltstack": (131, 132),
}

QUESTIONS: dict[str, Numbers] = {
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "getcpu": (309, 168),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "nanosleep": (35, 101),
    "sysinfo": (99, 179),
    "time": (201, None),
    "times": (100, 153),
    "uname": (63, 160),
}
"""About the process itself, the time and the machine; and sleeping."""

ALLOWED = {**FILES, **MEMORY, **THREADS, **QUESTIONS}

SELF = -1
"""Stands for the process's own id in `ByArgument.values`."""


@dataclass(frozen=True, slots=True)
class ByArgument:
    """A call that is allowed when its argument number `index`, from 0, is one of `values`, compared as 32 bits."""

    numbers: Numbers
    index: int
    values: tuple[int, ...]


BY_ARGUMENT: dict[str, ByArgument] = {
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC; not F_SETOWN, which signals others.
    "fcntl": ByArgument((72, 25), 1, (0, 1, 2, 3, 4, 1030)),
    # TCGETS and TCGETS2, which isatty makes; FIOCLEX and FIONCLEX, which Python makes.
    "ioctl": ByArgument((16, 29), 1, (0x5401, 0x802C542A, 0x5451, 0x5450)),
    "kill": ByArgument((62, 129), 0, (SELF,)),
    "tgkill": ByArgument((234, 131), 0, (SELF,)),
    "prctl": ByArgument((157, 167), 0, (15, 16)),  # PR_SET_NAME and PR_GET_NAME, of threads
    "sched_getaffinity": ByArgument((204, 123), 0, (0, SELF)),
}

CLONE: Numbers = (56, 220)
"""Allowed for threads."""

CLONE3: Numbers = (435, 435)
"""Its flags lie in memory, where a filter cannot read them. It answers ENOSYS, and the C library takes clone."""

MMAP: Numbers = (9, 222)
"""Allowed for memory, and for files as private copies: a shared map of a result could be written to later. libtiff asks
for one, and reads when it gets none; so this gives EPERM even where a forbidden call ends the process."""

MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20

PRLIMIT: Numbers = (302, 261)
"""Allowed on the process itself: to read any limit, and to set those below."""

LIMITS_SET = (resource.RLIMIT_CPU,)

SECCOMP: Numbers = (317, 277)

KNOWN: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = (
    ((0, 335), (424, 469)),
    ((0, 243), (260, 294), (424, 469)),
)
"""The numbers that Linux 6.17 has calls for, from first to last, by machine. Those that are not allowed are forbidden:
EPERM. Any other number may be a call of a newer kernel, for which the C library has a substitute that it takes at
ENOSYS only."""
