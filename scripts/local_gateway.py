"""A gateway for a script: started on free ports of loopback, and ended with the block that uses it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


@contextlib.contextmanager
def running(root: Path, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Run a gateway with these options below `root`; yield the URLs of its public port and of its API."""
    held = [_held(), _held()]
    public, api = (f"127.0.0.1:{port.getsockname()[1]}" for port in held)
    ports = {"public": {"listen": public, "url": f"http://{public}"}, "api": {"listen": api}}
    file = root / "config.yaml"
    file.write_text(yaml.safe_dump({**ports, **options}))
    with (root / "log").open("wb") as log:
        command = [sys.executable, "-m", "service", "up", "-c", str(file)]
        gateway = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert gateway.stdout
        if not any("gateway is up" in line for line in gateway.stdout):
            sys.exit(f"the gateway did not start:\n{(root / 'log').read_text()}")
        yield f"http://{public}", f"http://{api}"
    finally:
        gateway.terminate()
        gateway.communicate()
        for port in held:
            port.close()


def _held() -> socket.socket:
    """A free port, which stays free: Linux gives it to no client, and lets a server that sets SO_REUSEADDR listen there
    as long as this socket does not."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
