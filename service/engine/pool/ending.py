"""How an engine process ended: by itself, by what it worked on, or by others."""

from __future__ import annotations

import signal

FROM_OUTSIDE = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
)
"""Signals that no image causes: another process sends them, or the kernel for want of memory (SIGKILL). What a decoder
gets for a mistake (SIGSEGV, SIGABRT), a forbidden system call (SIGSYS) or a limit (SIGXCPU) is not among them."""


class Died(Exception):
    """The process ended, by `signal` or 0 for none, or broke the protocol and was ended. The text is for a log."""

    def __init__(self, text: str, signal: int = 0) -> None:
        super().__init__(text)
        self.signal = signal

    @property
    def from_outside(self) -> bool:
        """Whether another process ended it."""
        return self.signal in FROM_OUTSIDE


def how_it_ended(status: int, by: int) -> str:
    """Return a text for the log. `by` is the signal that it ended by itself or by others, 0 for ours or none."""
    if not by:
        return f"exit status {status}"
    name = signal.Signals(by).name
    if by in FROM_OUTSIDE:
        return f"{name} from outside" + (", or by the kernel for want of memory" if by == signal.SIGKILL else "")
    return name + (" for a forbidden system call" if by == signal.SIGSYS else "")
