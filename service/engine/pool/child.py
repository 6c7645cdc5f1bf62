"""A process that the service waits for, although another one started it, and its three pipes."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_UNKNOWN = 255  # the status of a process that something else has waited for, as asyncio has it


def adopt_orphans() -> None:
    """Make this process the parent of the processes below it whose own parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Child:
    """A child of this process, by its id. `returncode` is None while it runs, then as that of asyncio's processes."""

    def __init__(self, pid: int) -> None:
        """Watch the process on the running loop. Raises OSError."""
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.pidfd_open(pid)
        self._loop.add_reader(self._descriptor, self._reap)

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._ended.wait()

    def _reap(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.returncode = _UNKNOWN
        with contextlib.suppress(ChildProcessError):
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended.set()


class Pipes:
    """Our ends of the standard input, output and error of a process; `theirs` are the other ends, in this order. Made
    by `open`."""

    def __init__(self, limit: int) -> None:
        self.output = asyncio.StreamReader(limit)
        self.errors = asyncio.StreamReader(limit)
        self.theirs: list[int] = []
        self._transports: list[asyncio.BaseTransport] = []
        self._input: asyncio.WriteTransport | None = None

    @classmethod
    async def open(cls, limit: int) -> Pipes:
        """Open them on the running loop; a line of the output has `limit` bytes at most. Raises OSError."""
        pipes = cls(limit)
        try:
            await pipes._open_input()
            await pipes._open(pipes.output)
            await pipes._open(pipes.errors)
        except BaseException:
            pipes.close()
            raise
        return pipes

    async def _open_input(self) -> None:
        theirs, ours = os.pipe()
        self.theirs.append(theirs)
        file = os.fdopen(ours, "wb", 0)
        self._input, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.Protocol, file)
        self._transports.append(self._input)

    async def _open(self, reader: asyncio.StreamReader) -> None:
        ours, theirs = os.pipe()
        self.theirs.append(theirs)
        protocol = asyncio.StreamReaderProtocol(reader)
        file = os.fdopen(ours, "rb", 0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
        self._transports.append(transport)

    def write(self, line: bytes) -> None:
        """Write to its input. Nothing happens where it has ended: reading tells."""
        assert self._input is not None
        self._input.write(line)

    def hand_over(self) -> None:
        """Close the other ends here: the process has them now."""
        for end in self.theirs:
            os.close(end)
        self.theirs = []

    def close(self) -> None:
        """Close all ends that are open here, but for what can still be read."""
        self.hand_over()
        for transport in self._transports:
            transport.close()
