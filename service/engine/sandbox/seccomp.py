"""Confine a process to the system calls that images need, by a seccomp filter.

A forbidden call gives EPERM, an unknown one ENOSYS. With `ENGINE_FORBIDDEN_CALLS=kill` in the service's environment
either ends the process by SIGSYS, so that tests notice a call that is missing in the list. Classic BPF, as
Documentation/userspace-api/seccomp_filter.rst and linux/filter.h describe it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from service.engine.sandbox import calls

VARIABLE, KILL = "ENGINE_FORBIDDEN_CALLS", "kill"

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*

_X32 = 0x40000000  # calls of x86_64's other ABI have this bit, and would pass as others
_CLONE_THREAD = 0x00010000

_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_GT, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data, little endian; arguments have 64 bits
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1


def install(*, kill: bool = False) -> bool | str:
    """Filter this process, all its threads, for good. True, or why it could not be. Needs PR_SET_NO_NEW_PRIVS.

    With `kill` a call that is not allowed ends the process.
    """
    machine = platform.machine()
    if machine not in calls.COLUMNS:
        return f"no filter is written for {machine}"
    column = calls.COLUMNS[machine]
    program = b"".join(_program(column, _ARCHITECTURES[machine], kill=kill))
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(calls.SECCOMP[column], _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.c_char_p(filter_)) == 0:
        return True
    return f"the kernel refuses: {os.strerror(ctypes.get_errno())}"


def _program(column: int, arch: int, *, kill: bool) -> list[bytes]:
    refuse = _instruction(_RETURN, _KILL_PROCESS if kill else _ERRNO | errno.EPERM)
    unknown = _instruction(_RETURN, _KILL_PROCESS if kill else _ERRNO | errno.ENOSYS)
    never = _instruction(_RETURN, _ERRNO | errno.EPERM)
    missing = _instruction(_RETURN, _ERRNO | errno.ENOSYS)
    allow = _instruction(_RETURN, _ALLOW)
    program = [
        *(_load(_ARCH), _instruction(_JUMP_EQ, arch, 1, 0), refuse),
        *(_load(_NUMBER), _instruction(_JUMP_GE, _X32, 0, 1), refuse),
        *(_instruction(_JUMP_EQ, calls.CLONE3[column], 0, 1), missing),
        *_when(calls.CLONE[column], [_argument(0), _instruction(_JUMP_SET, _CLONE_THREAD, 0, 1), allow, refuse]),
        *_when(calls.MMAP[column], [*_private(never), allow]),
        *_when(calls.PRLIMIT[column], [*_limits(refuse), allow]),
    ]
    for call in calls.BY_ARGUMENT.values():
        program += _when(call.numbers[column], [*_one_of(call.index, call.values, refuse), allow])
    for numbers in calls.ALLOWED.values():
        program += _when(numbers[column], [allow])
    for first, last in calls.KNOWN[column]:
        program += [_instruction(_JUMP_GE, first, 0, 2), _instruction(_JUMP_GT, last, 1, 0), refuse]
    return [*program, unknown]


def _when(number: int | None, instructions: list[bytes]) -> list[bytes]:
    """For the call of this number the instructions, which must end with a return."""
    return [] if number is None else [_instruction(_JUMP_EQ, number, 0, len(instructions)), *instructions]


def _one_of(index: int, values: tuple[int, ...], refuse: bytes) -> list[bytes]:
    """Refuse unless the low half of an argument is one of the values."""
    plain = [os.getpid() if value == calls.SELF else value for value in values]
    jumps = [_instruction(_JUMP_EQ, value, len(plain) - place, 0) for place, value in enumerate(plain)]
    return [_argument(index), *jumps, refuse]


def _private(refuse: bytes) -> list[bytes]:
    """Refuse mmap of a file that is shared: its fourth argument has the flags."""
    shared = _instruction(_JUMP_SET, calls.MAP_SHARED, 0, 2)
    return [_argument(3), shared, _instruction(_JUMP_SET, calls.MAP_ANONYMOUS, 1, 0), refuse]


def _limits(refuse: bytes) -> list[bytes]:
    """Refuse prlimit64 on other processes, and to set what may not be set: its third argument is the new limit."""
    settable = _one_of(1, calls.LIMITS_SET, refuse)
    none_given = [
        *(_argument(2), _instruction(_JUMP_EQ, 0, 0, 2)),
        *(_argument(2, high=True), _instruction(_JUMP_EQ, 0, len(settable), 0)),
    ]
    return [*_one_of(0, (0, calls.SELF), refuse), *none_given, *settable]


def _argument(index: int, *, high: bool = False) -> bytes:
    return _load(_ARGUMENTS + 8 * index + 4 * high)


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _instruction(code: int, value: int | None, if_true: int = 0, if_false: int = 0) -> bytes:
    """One struct sock_filter; the jumps count instructions from the next."""
    return struct.pack("HBBI", code, if_true, if_false, value)
