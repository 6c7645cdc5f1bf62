"""Drop all Linux capabilities of this process: see capabilities(7)."""

from __future__ import annotations

import ctypes
import os
import struct

_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL = 23, 24, 47, 4
_PR_SET_NO_NEW_PRIVS = 38
_VERSION_3 = 0x20080522  # of capget(2)
_MOST = 64


def drop_capabilities() -> bool | str:
    """Leave this process without a capability, and root without a way to regain one. True, or why it could not be.

    The bounding set can be emptied with CAP_SETPCAP only. A process without it cannot gain what is in that set either,
    after `forgo_new_privileges`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_MOST):
        if libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    # A header of version and process, then effective, permitted and inheritable, twice 32 bits.
    header, data = struct.pack("Ii", _VERSION_3, 0), struct.pack("6I", *(0 for _ in range(6)))
    if libc.capset(ctypes.c_char_p(header), ctypes.c_char_p(data)) == 0:
        return True
    return os.strerror(ctypes.get_errno())


def forgo_new_privileges() -> bool | str:
    """Have the kernel ignore set-user-ID and the like from now on. True, or why it could not be."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        return True
    return os.strerror(ctypes.get_errno())
