"""A seccomp filter that takes from a process what no image needs: sockets, programs, processes, other processes.

It refuses by name and allows the rest, because libraries change what they call between versions, and Landlock and
the resource limits hold what is allowed. Threads may still be made: decoders use them. Classic BPF, as
Documentation/userspace-api/seccomp_filter.rst and linux/filter.h describe it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

# Numbers from asm/unistd_64.h and asm-generic/unistd.h, by machine; None where the machine has no such call.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "execve": (59, 221),
    "execveat": (322, 281),
    "finit_module": (313, 273),
    "fork": (57, None),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "mount": (165, 40),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "seccomp": (317, 277),
    "setns": (308, 268),
    "socket": (41, 198),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vfork": (58, None),
}

_ON_ITSELF = ("kill", "tgkill", "prlimit64")
"""Allowed when the first argument is 0 or the process itself."""

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # the column above, and AUDIT_ARCH_*

_X32 = 0x40000000  # calls of x86_64's other ABI have this bit, and would pass a list of plain numbers
_CLONE_THREAD = 0x00010000

_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little endian
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1


def install() -> bool | str:
    """Filter this process, all its threads, for good. True, or why it could not be. Needs PR_SET_NO_NEW_PRIVS."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return f"no filter is written for {platform.machine()}"
    program = b"".join(_program(*machine))
    length = len(program) // 8
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", length, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    number = _CALLS["seccomp"][machine[0]]
    if libc.syscall(number, _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.c_char_p(filter_)) == 0:
        return True
    return f"the kernel refuses: {os.strerror(ctypes.get_errno())}"


def _program(column: int, arch: int) -> list[bytes]:
    numbers = {name: row[column] for name, row in _CALLS.items()}
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    program = [
        *(_instruction(_LOAD, _ARCH), _instruction(_JUMP_EQ, arch, 1, 0), refuse),
        *(_instruction(_LOAD, _NUMBER), _instruction(_JUMP_GE, _X32, 0, 1), refuse),
        # Its flags lie in memory, out of reach: glibc falls back to clone.
        *(_instruction(_JUMP_EQ, numbers.pop("clone3"), 0, 1), _instruction(_RETURN, _ERRNO | errno.ENOSYS)),
        *(_instruction(_JUMP_EQ, numbers.pop("clone"), 0, 4), _instruction(_LOAD, _FIRST_ARGUMENT)),
        *(_instruction(_JUMP_SET, _CLONE_THREAD, 0, 1), allow, refuse),
    ]
    for name in _ON_ITSELF:
        program += [
            *(_instruction(_JUMP_EQ, numbers.pop(name), 0, 5), _instruction(_LOAD, _FIRST_ARGUMENT)),
            *(_instruction(_JUMP_EQ, 0, 1, 0), _instruction(_JUMP_EQ, os.getpid(), 0, 1), allow, refuse),
        ]
    for number in numbers.values():
        if number is not None:
            program += [_instruction(_JUMP_EQ, number, 0, 1), refuse]
    return [*program, allow]


def _instruction(code: int, value: int | None, if_true: int = 0, if_false: int = 0) -> bytes:
    """One struct sock_filter; the jumps count instructions from the next."""
    return struct.pack("HBBI", code, if_true, if_false, value)
