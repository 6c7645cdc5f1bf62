"""The changes of a node, by `GET /events` and by the command."""

from __future__ import annotations

import subprocess
import sys

from service.outbox.change import Change
from service.outbox.recent import MOST, Recent
from tests.gateways import Gateway


def test_changes_are_followed_without_any_webhook(gateway: Gateway, dog: bytes) -> None:
    assert gateway.upload("follow me.png", dog).status_code == 201
    first = gateway.api.get("/events").json()
    assert [event["data"]["name"] for event in first["events"]] == ["follow me.png"]
    assert gateway.api.get("/events", params={"after": first["next"]}).json() == {"events": [], "next": first["next"]}
    command = [sys.executable, "-m", "service", "events", "--follow", "--api", str(gateway.api.base_url)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        try:
            assert following.stdout.readline().split(" ", 1)[1] == 'created "follow me.png"\n'
            assert gateway.api.delete("/images/follow me.png").status_code == 204
            assert following.stdout.readline().split(" ", 1)[1] == 'deleted "follow me.png"\n'
            assert gateway.api.post("/purge", json={"prefix": "a/"}).status_code == 200
            assert following.stdout.readline().split(" ", 1)[1] == "purged a/*\n"
        finally:
            following.terminate()
    ended = subprocess.run([*command[:4], *command[5:], "--json"], capture_output=True, text=True, check=True)
    assert [line.split('"')[3] for line in ended.stdout.splitlines()] == [
        "image.created",
        "image.deleted",
        "image.purged",
    ]
    assert not (gateway.root / "var/outbox").exists(), "no receiver needs an outbox"


def test_a_cursor_is_where_its_answer_ended() -> None:
    recent = Recent()
    changes = [Change("deleted", (f"{number}.png",)) for number in range(MOST + 5)]
    for change in changes:
        recent.add(change)
    found = recent.after("", 10)
    assert [change for _, change in found] == changes[5:15], "the oldest are forgotten"
    assert [change for _, change in recent.after(found[-1][0], 2)] == changes[15:17]
    assert recent.after(recent.last, 10) == []
    assert [change for _, change in recent.after("another-7", 1)] == changes[5:6]
    assert [change for _, change in recent.after("nonsense", 1)] == changes[5:6]
