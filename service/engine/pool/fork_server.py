"""The process that engine processes are forked from, so that they share the memory of what it has imported.

    python -P -m service.engine.pool.fork_server MODULE PARENT

MODULE is that of `worker`, PARENT the id of the service, whose death ends it. Standard input is a socket of packets.
The first one out is `{"ready": true}`. Each one in is the JSON of a `sandbox.Sandbox` with three descriptors, the
standard input, output and error of the new process; the answer is `{"pid": NUMBER}` or `{"error": TEXT}`.

A new process is forked twice, so that the service is its parent: the one between ends, and the kernel gives orphans to
the service. It never has a thread, since a fork copies one thread only and the locks of all.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from service.engine import file_pages
from service.engine.memory import give_back
from service.engine.pool import priority, title, worker
from service.engine.pool.messages import PACKET
from service.engine.sandbox import sandbox


def main(arguments: list[str]) -> int:
    module, parent = arguments
    if not sandbox.die_with(int(parent)):
        return 0
    os.setpgid(0, 0)  # Ctrl-C is for the service
    priority.stand_back()
    control = _take_control()
    gc.disable()  # while modules are loaded nothing becomes garbage, and looking for it takes a tenth of the time
    entries = importlib.import_module(module)
    capabilities = entries.capabilities()
    _require_one_thread()
    file_pages.let_go()  # this process runs no codec; those forked from it map what they use
    gc.collect()
    gc.freeze()  # a collection in a forked process would write to every page
    gc.enable()
    give_back()
    control.send(json.dumps({"ready": True}).encode())
    while True:
        packet, descriptors, _, _ = socket.recv_fds(control, PACKET, 3)
        if not packet:
            return 0
        bounds = sandbox.Sandbox.from_json(packet.decode())
        answer = _fork(bounds, descriptors, control, entries, capabilities)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(json.dumps(answer).encode())


def _fork(
    bounds: sandbox.Sandbox, descriptors: list[int], control: socket.socket, entries: Any, capabilities: Any
) -> dict[str, Any]:
    """Fork an engine process, and return the answer. It is an orphan by then, and waits for that."""
    told, tell = os.pipe()
    gate, hold = os.pipe()
    try:
        between = os.fork()
    except OSError as error:
        _close(told, tell, gate, hold)
        return {"error": f"no process can be forked: {error.strerror}"}
    if between == 0:
        _close(told, hold)
        control.close()
        _fork_again(tell)
        _become_worker(bounds, descriptors, gate, entries, capabilities)
    _close(tell, gate)
    os.waitpid(between, 0)
    with os.fdopen(told, "rb") as file:
        answer = file.read()
    _close(hold)  # the new process runs from here on
    return dict(json.loads(answer or '{"error": "the process that forks was ended"}'))


def _fork_again(tell: int) -> None:
    """Return in a new process; this one says its id, and ends."""
    answer: dict[str, object] = {}
    try:
        child = os.fork()
        answer["pid"] = child
    except OSError as error:
        child, answer = -1, {"error": f"no process can be forked: {error.strerror}"}
    if child:
        os.write(tell, json.dumps(answer).encode())
        os._exit(0)
    os.close(tell)


def _become_worker(
    bounds: sandbox.Sandbox, descriptors: list[int], gate: int, entries: Any, capabilities: Any
) -> NoReturn:
    status = 1
    try:
        for place, descriptor in enumerate(descriptors):
            os.dup2(descriptor, place)
            os.close(descriptor)
        os.read(gate, 1)  # its end: the process between is gone
        os.close(gate)
        title.replace("fork_server", "worker")
        if sandbox.die_with(bounds.parent):
            os.setpgid(0, 0)  # a group of its own, in the session of the service
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # it ends the process, and leaves no traceback
            worker.work(bounds, entries, capabilities)
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def _take_control() -> socket.socket:
    """Move the socket away from descriptor 0, which libraries may read. What they print goes to standard error."""
    control = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return control


def _require_one_thread() -> None:
    """Raise RuntimeError where a library has started a thread."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        raise RuntimeError(f"{threads} threads run before the first engine process is forked; there must be one")


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
