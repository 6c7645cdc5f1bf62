"""Confine a process to the given roots of the file system, by Landlock.

System calls and structures as in linux/landlock.h; what each kernel adds is its ABI number. Signals and abstract
sockets of other processes go as well where the kernel can (ABI 6), TCP from ABI 4.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_VERSION, _PATH_BENEATH = 1, 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TRUNCATE = 1 << 14

_READ = _READ_FILE
_LIST = _READ | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _TRUNCATE
_OF_A_FILE = _READ_FILE | _WRITE_FILE | _TRUNCATE

_HANDLED = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights on files each ABI knows; the rest follow the last."""

_TCP, _TCP_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6


def restrict(listable: Iterable[str], readable: Iterable[str], writable: Iterable[str]) -> bool | str:
    """Confine this process to three kinds of roots: below `listable` it may read files and list folders,
    below `readable` read files, below `writable` read and write files that are there.

    Nothing may be executed, made or removed anywhere. A root that does not exist is passed over. Landlock binds the
    calling thread and what it starts, so it is refused where there are other threads already. True, or why it could
    not be.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        return f"the process has {threads} threads already"
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if abi < 1:
        return f"the kernel has no Landlock: {os.strerror(ctypes.get_errno())}"
    handled = (1 << _HANDLED.get(abi, _HANDLED[5])) - 1
    attributes = struct.pack("Q", handled)
    if abi >= _TCP_SINCE:
        attributes += struct.pack("Q", _TCP)
    if abi >= _SCOPES_SINCE:
        attributes += struct.pack("Q", _SCOPES)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return f"the kernel refuses: {os.strerror(ctypes.get_errno())}"
    try:
        for roots, rights in ((listable, _LIST), (readable, _READ), (writable, _WRITE)):
            for root in roots:
                _allow(libc, ruleset, root, rights & handled)
        if libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0:
            return True
        return f"the kernel refuses: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, root: str, rights: int) -> None:
    try:
        folder = os.open(root, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(folder).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, folder)
        if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0) != 0:
            raise OSError(ctypes.get_errno(), f"no Landlock rule for {root}")
    finally:
        os.close(folder)
