"""From the configuration to the outbox."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.settings import Config
from service.cache.work import Work
from service.outbox.box import Box
from service.outbox.cdn import cdn_senders
from service.outbox.outbox import Outbox
from service.outbox.sending import Client, Sender
from service.outbox.webhooks import WebhookSender
from service.store.base import Store
from service.store.errors import StoreError

SETTLED = 1.0  # seconds in which another node that has heard of a change forgets what it had
NODE = "outbox-node"  # file in the runtime folder that holds the name of this node
_NAME = re.compile(r"[0-9a-f]{12}")


@contextlib.asynccontextmanager
async def opened_outbox(config: Config, store: Store, work: Work, runtime: Path) -> AsyncIterator[Outbox]:
    """The outbox, which delivers while the context lasts. Raises OSError, and StoreError where the store has
    no place for it."""
    options, client = config.outbox, Client()
    receivers: list[Sender] = [
        WebhookSender(place, one, client, options.timeout) for place, one in enumerate(config.events)
    ]
    heard = config.cache.journal if store.journal else config.cache.revalidate
    delay = heard + SETTLED if store.remote else 0.0
    receivers += cdn_senders(config.cdn, store.originals, client, config.public.cache_tags.longest, delay)
    if receivers and store.outbox is None:
        raise StoreError("events and cdn need a container for the outbox, and the store has none that can be used")
    box = Box(store.outbox, work) if store.outbox and receivers else None
    outbox = Outbox(
        box,
        receivers,
        node_name(runtime / NODE) if box else "",
        give_up=options.give_up,
        take_over=options.take_over,
        keep_dead=options.keep_dead,
    )
    try:
        async with outbox.running():
            yield outbox
    finally:
        await client.close()


def node_name(file: Path) -> str:
    """The name that this node keeps over restarts, for others to tell its messages by. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        if _NAME.fullmatch(name := file.read_text("ascii", errors="replace").strip()):
            return name
    name = secrets.token_hex(6)
    file.write_text(f"{name}\n")
    return name
