"""The command events: the changes that a running gateway makes."""

from __future__ import annotations

import json
import time

import click

from service.api.schema.models import Event
from service.cli.arguments import as_json, client_command
from service.cli.connection import Remote
from service.client import calls

PAUSE = 1.0  # seconds between two questions


@client_command("events", "events --follow --json")
@click.option("-f", "--follow", is_flag=True, help="Go on with those to come, until Ctrl-C.")
@as_json
def events(remote: Remote, follow: bool, as_json: bool) -> int:
    """Print the last changes that a running gateway has made: uploads, deletions, purges.

    They are those of the one node that --api names, since its start. Webhooks get those of all nodes.
    """
    cursor = ""
    with remote.connect() as gateway:
        while True:
            found = gateway.call(calls.events(cursor))
            for event in found.events:
                click.echo(event.model_dump_json() if as_json else _line(event))
            if not found.events and not follow:
                return 0
            if not found.events:
                time.sleep(PAUSE)
            cursor = found.next


def _line(event: Event) -> str:
    """Time, kind, and the images, whose names are in quotes where they hold what would not be seen as one."""
    data = event.data
    if data.get("all"):
        what = ["*"]
    elif "prefix" in data:
        what = [f"{data['prefix']}*"]
    else:
        what = [data["name"]] if "name" in data else list(data.get("names", []))
    shown = (name if name.isprintable() and " " not in name else json.dumps(name, ensure_ascii=False) for name in what)
    return f"{event.timestamp} {event.type.removeprefix('image.')} {' '.join(shown)}"
