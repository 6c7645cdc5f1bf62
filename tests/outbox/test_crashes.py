"""Nothing is lost: not by a kill between a change and its delivery, nor with a node that never comes back."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from tests.conftest import swift_options
from tests.gateways import Gateway, alive, descendants, running_gateway
from tests.outbox.boxes import SECRET, in_swift, metric
from tests.outbox.receivers import receiving
from tests.swift.server import SwiftServer
from tests.waiting import until


def kill(gateway: Gateway) -> None:
    """kill -9 of the supervisor and of all below it."""
    processes = [gateway.process.pid, *descendants(gateway.process.pid)]
    for process in processes:
        with contextlib.suppress(ProcessLookupError):  # some end with those that are killed before
            os.kill(process, signal.SIGKILL)
    gateway.process.wait(60)
    until(lambda: not any(map(alive, processes)))


def test_what_a_kill_leaves_is_delivered_by_the_next_start(tmp_path: Path, dog: bytes) -> None:
    with receiving() as receiver:
        receiver.status = 503
        options = {"events": [{"url": receiver.url, "secret": SECRET}]}
        with running_gateway(tmp_path, options) as gateway:
            assert gateway.upload("dog.png", dog).status_code == 201
            (refused,) = receiver.take(1)
            kill(gateway)
        receiver.received, receiver.status = [], 200
        with running_gateway(tmp_path, options):
            (taken,) = receiver.take(1)
            assert taken.headers["webhook-id"] == refused.headers["webhook-id"]
            assert taken.body == refused.body
            until(lambda: not list((tmp_path / "var/outbox").rglob("outbox/*")))


def test_another_node_takes_over_what_a_dead_one_has_left(swift: SwiftServer, tmp_path: Path, dog: bytes) -> None:
    options: dict[str, Any] = {**swift_options(swift), "outbox": {"take_over": "1s"}}
    with receiving() as receiver:
        receiver.status = 503
        options["cdn"] = {"kind": "http", "urls": [receiver.url]}
        with (
            running_gateway(tmp_path / "first", options) as first,
            running_gateway(tmp_path / "other", options) as other,
        ):
            assert first.upload("dog.png", dog).status_code == 201
            assert first.api.delete("/images/dog.png").status_code == 204
            (refused,) = receiver.take(1)
            kill(first)
            receiver.received, receiver.status = [], 200
            taken = receiver.take(1)
            assert taken[0].body == refused.body
            until(lambda: metric(other, "delivered_total", "cdn") == 1)
            until(lambda: in_swift(swift.url, options, "outbox") == in_swift(swift.url, options, "alive") == [])


def test_what_cannot_be_written_or_delivered_is_logged(tmp_path: Path, dog: bytes) -> None:
    """A change stands without its message; a message that fails for too long becomes a dead letter."""
    with receiving() as receiver:
        options = {"events": [{"url": receiver.url, "secret": SECRET}], "outbox": {"give_up": "100ms"}}
        with running_gateway(tmp_path, options) as gateway:
            folder = tmp_path / "var/outbox"
            folder.rename(tmp_path / "away")
            folder.write_text("a file in its place")
            assert gateway.upload("unwritten.png", dog).status_code == 201
            receiver.take(1)
            assert metric(gateway, "unwritten_total", "events") == 1
            assert "cannot be written; it is lost if the process ends first" in gateway.log
            assert gateway.public.get("/images/unwritten.png/@w=20.png").status_code == 200
            folder.unlink()
            until(lambda: metric(gateway, "waiting", "events") == 0)
            receiver.status = 500
            assert gateway.upload("undelivered.png", dog).status_code == 201
            until(lambda: metric(gateway, "dead_total", "events") == 1)
            (dead,) = (folder / "dead").iterdir()
            assert '"undelivered.png"' in dead.read_text()
            assert f"it lies in dead/{dead.name} and says: " in gateway.log
            assert metric(gateway, "waiting", "events") == 0
