"""The sandbox on both machines: the filter of each is run here, by an interpreter of its instructions."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import subprocess
import sys

import pytest

from service.engine.pool.staff import Staff
from service.engine.sandbox import calls, landlock, seccomp
from tests.engine.forbidden import FORBIDDEN, UNKNOWN

AUDIT = {
    "x86_64": 0xC000003E,
    "aarch64": 0xC00000B7,
}  # linux/audit.h: EM_X86_64 62, EM_AARCH64 183, 64 bit, little endian
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
SELF = os.getpid()

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fadvise64": (221, 223),
    "fcntl": (72, 25),
    "fstat": (5, 80),
    "ftruncate": (77, 46),
    "futex": (202, 98),
    "getcpu": (309, 168),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
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
    "ioctl": (16, 29),
    "kill": (62, 129),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "open": (2, None),
    "openat": (257, 56),
    "poll": (7, None),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "prlimit64": (302, 261),
    "pwrite64": (18, 68),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "seccomp": (317, 277),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "sigaltstack": (131, 132),
    "stat": (4, None),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "tgkill": (234, 131),
    "time": (201, None),
    "times": (100, 153),
    "uname": (63, 160),
    "write": (1, 64),
    "writev": (20, 66),
}
"""On x86_64 and aarch64, from Linux' asm/unistd_64.h and asm-generic/unistd.h, which has newfstatat as fstatat."""

BY_ARGUMENTS = [
    ("mmap", (0, 4096, 1, 0x02, 3), ALLOW),  # MAP_PRIVATE of a file
    ("mmap", (0, 4096, 3, 0x01, 3), EPERM),  # MAP_SHARED of a file
    ("mmap", (0, 4096, 3, 0x21, 0), ALLOW),  # MAP_SHARED | MAP_ANONYMOUS
    ("clone", (0x00010000,), ALLOW),  # CLONE_THREAD
    ("clone", (0x11,), EPERM),  # SIGCHLD: a fork
    ("clone3", (), ENOSYS),
    ("kill", (SELF, 9), ALLOW),
    ("kill", (SELF + 1, 9), EPERM),
    ("prctl", (15,), ALLOW),  # PR_SET_NAME
    ("prctl", (4,), EPERM),  # PR_SET_DUMPABLE
    ("ioctl", (0, 0x5401), ALLOW),  # TCGETS
    ("ioctl", (0, 0x5412), EPERM),  # TIOCSTI
    ("fcntl", (0, 3), ALLOW),  # F_GETFL
    ("fcntl", (0, 8), EPERM),  # F_SETOWN
    ("prlimit64", (0, 7, 0), ALLOW),  # reads RLIMIT_NOFILE
    ("prlimit64", (0, 7, 1 << 32), EPERM),  # sets it: the new limit lies above 4 GiB
    ("prlimit64", (0, 0, 1), ALLOW),  # sets RLIMIT_CPU
    ("prlimit64", (SELF + 1, 0, 0), EPERM),
]


def verdict(machine: str, number: int, arguments: tuple[int, ...] = (), arch: int | None = None) -> int:
    """What the filter of a machine answers to a call: struct seccomp_data through classic BPF, as Linux runs it."""
    filled = (*arguments, *[0] * (6 - len(arguments)))
    data = struct.pack("<iIQ6Q", number, AUDIT[machine] if arch is None else arch, 0, *filled)
    program = seccomp._program(calls.COLUMNS[machine], AUDIT[machine], kill=False)
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = struct.unpack("<HBBI", program[at])
        at += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:  # BPF_RET
            return int(value)
        else:  # BPF_JMP
            holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x35: accumulator >= value}
            at += if_true if holds.get(code, accumulator & value != 0) else if_false


def of(machine: str, row: tuple[int | None, int | None]) -> int | None:
    return row[calls.COLUMNS[machine]]


def test_the_table_has_the_numbers_of_the_kernels_headers() -> None:
    special = {"clone": calls.CLONE, "clone3": calls.CLONE3, "mmap": calls.MMAP, "prlimit64": calls.PRLIMIT}
    ours = {**calls.ALLOWED, **special, "seccomp": calls.SECCOMP}
    ours |= {name: call.numbers for name, call in calls.BY_ARGUMENT.items()}
    assert ours == NUMBERS
    assert seccomp._ARCHITECTURES == AUDIT


@pytest.mark.parametrize("machine", calls.COLUMNS)
def test_each_machine_allows_the_calls_of_the_list_and_no_other(machine: str) -> None:
    for name in calls.ALLOWED:
        number = of(machine, NUMBERS[name])
        assert number is None or verdict(machine, number) == ALLOW, name
    for name, row in FORBIDDEN.items():
        number = of(machine, row)
        assert number is None or verdict(machine, number) == EPERM, name
    assert {verdict(machine, number) for number in UNKNOWN} == {ENOSYS}


@pytest.mark.parametrize("machine", calls.COLUMNS)
@pytest.mark.parametrize(("name", "arguments", "wanted"), BY_ARGUMENTS)
def test_each_machine_judges_arguments_alike(machine: str, name: str, arguments: tuple[int, ...], wanted: int) -> None:
    number = of(machine, NUMBERS[name])
    assert number is not None
    assert verdict(machine, number, arguments) == wanted


@pytest.mark.parametrize("machine", calls.COLUMNS)
def test_a_call_of_the_other_machine_is_refused(machine: str) -> None:
    (other,) = AUDIT.keys() - {machine}
    assert verdict(machine, 0, arch=AUDIT[other]) == EPERM


def test_structures_have_the_layout_of_both_machines() -> None:
    """Both are LP64 and little endian; sizes and offsets are those of linux/filter.h, landlock.h and capability.h."""

    class SockFprog(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    assert (struct.calcsize("HxxxxxxP"), SockFprog.filter.offset) == (ctypes.sizeof(SockFprog), 8)
    assert struct.calcsize("HBBI") == 8  # struct sock_filter
    assert struct.calcsize("=Qi") == 12  # struct landlock_path_beneath_attr is packed
    assert (struct.calcsize("Ii"), struct.calcsize("6I")) == (8, 24)  # capget's header and twice its data


def test_a_machine_without_landlock_is_told_of_in_a_loud_word_and_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No kernel here is without it, so it is asked by a call that no kernel has, in a process of one thread."""
    code = f"from {landlock.__package__} import landlock; landlock._CREATE_RULESET = 9999"
    command = [sys.executable, "-c", f"{code}; print(landlock.restrict((), (), ()))"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    report: dict[str, bool | str] = {"file system": said, "memory": True}
    assert report["file system"] == "the kernel has no Landlock: Function not implemented"
    staff = Staff.__new__(Staff)
    staff.sandbox = {}
    staff._warn_of_gaps(report)
    staff.sandbox = report
    staff._warn_of_gaps(report)
    (record,) = caplog.records
    assert record.getMessage() == (
        "ENGINE PROCESSES ARE NOT CONFINED in one respect, file system: "
        "the kernel has no Landlock: Function not implemented"
    )
