"""A Swift of four servers in one process on loopback: `python serve.py ROOT [--port N] ...`.

Runs inside the virtual environment that holds Swift. Prints the proxy server's URL when it can be used, and ends with
its parent if that is asked for.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import os
import signal
import socket
import time
import warnings
from pathlib import Path

import eventlet.debug
import eventlet.wsgi
import layout
from swift.common import constraints, storage_policy, utils, wsgi
from swift.common.http_protocol import SwiftHttpProtocol


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--port", type=int, default=0, help="of the proxy server; 0 takes a free one")
    parser.add_argument("--die-with-parent", action="store_true")
    for field in dataclasses.fields(layout.Options):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    arguments = vars(parser.parse_args())
    if arguments.pop("die_with_parent"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    root, port = arguments.pop("root").resolve(), arguments.pop("port")
    held = {kind: _held() for kind in layout.SERVERS}
    ports = {kind: each.getsockname()[1] for kind, each in held.items()} | ({"proxy": port} if port else {})
    options = layout.Options(**arguments)
    layout.write(root, ports, options)
    serve(root / "etc", f"http://{options.address}:{ports['proxy']}")


def serve(etc: Path, url: str) -> None:
    """Serve until a signal ends the process, and print `url` when all is there."""
    os.environ["TZ"] = "UTC+0"
    time.tzset()
    warnings.filterwarnings("ignore")
    utils.eventlet_monkey_patch()
    eventlet.debug.hub_exceptions(False)
    utils.disable_fallocate()
    # Importing has read /etc/swift; only now is it told where else to look.
    utils.set_swift_dir(str(etc))
    constraints.reload_constraints()
    storage_policy.reload_storage_policies()

    threads = []
    for kind in layout.SERVERS:
        path = str(etc / f"{kind}-server.conf")
        options, _, name = wsgi._initrp(path, f"{kind}-server")
        application = wsgi.loadapp(path, global_conf={"log_name": name})
        listener = wsgi.get_socket(options)
        server = eventlet.spawn(
            eventlet.wsgi.server,
            listener,
            application,
            utils.NullLogger(),
            protocol=SwiftHttpProtocol,
            socket_timeout=60,
            capitalize_response_headers=False,
        )
        threads.append(server)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    print(url, flush=True)
    threads[-1].wait()


def _held() -> socket.socket:
    """A free port, which stays free: Linux gives it to no client, and lets a server that sets SO_REUSEADDR listen there
    as long as this socket does not. `scripts/local_gateway.py` has the same; Swift's environment cannot import it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


if __name__ == "__main__":
    main()
