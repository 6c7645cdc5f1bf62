"""Ports of `free_ports`: a gateway that starts finds them free, whatever other tests start meanwhile."""

from __future__ import annotations

import socket
import subprocess
import sys

from tests.gateways import OWN, free_ports

ANOTHER = "from tests.gateways import OWN, free_ports; print(*free_ports(OWN // 2))"


def test_another_process_of_tests_is_given_none_of_these() -> None:
    own = free_ports(OWN // 2)
    others = subprocess.run([sys.executable, "-c", ANOTHER], capture_output=True, text=True, check=True)
    assert not set(own) & set(map(int, others.stdout.split()))


def test_ports_come_in_turn_and_none_at_which_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", free_ports(1)[0])) as listening:
        given = [port for _ in range(3) for port in free_ports(OWN // 2)]
        assert listening.getsockname()[1] not in given
        assert len(set(given[: OWN // 2])) == OWN // 2
