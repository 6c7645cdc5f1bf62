"""A service whose store is a real Swift, for what only Swift can do: temporary URLs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.gateways import free_ports, write_config
from tests.swift.server import running_swift
from tests.swift.stores import client
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Service:
    """The API as a client, and the folder with the service's config.yaml."""

    api: httpx.Client
    root: Path


@contextlib.contextmanager
def running_on_swift(root: Path) -> Iterator[Service]:
    """Swift, and the service on it; both are ended."""
    with running_swift(root / "swift") as swift:
        environ = {"ST_AUTH": f"{swift.url}/auth/v1.0", "ST_USER": "test:tester", "ST_KEY": "testing"}
        with contextlib.closing(client(swift.url)) as connection:
            connection.put_container("images")
        ports = free_ports(2)
        options = {
            "store": {"kind": "swift", "swift": {"incoming_container": "incoming"}},
            "limits": {"upload": "20MiB"},
        }
        file = write_config(root, options, ports)
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve", "-c", str(file)],
                stderr=log,
                env={**os.environ, **environ},
            )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{ports[1]}", timeout=60, trust_env=False) as api:
                _await(api, process, root / "log")
                yield Service(api, root)
        finally:
            process.terminate()
            process.wait(60)


def _await(api: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if api.get("/health/live").is_success:
                return
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")
