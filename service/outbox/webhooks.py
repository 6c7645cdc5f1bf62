"""Events: each change, posted to a URL and signed by the specification of Standard Webhooks."""

from __future__ import annotations

import hashlib
import json
import time

from gateway.outbox_settings import Webhook
from gateway.standard_webhooks import headers
from service.outbox.change import Message
from service.outbox.sending import Client, Request, host_of


def event(message: Message) -> bytes:
    """The body of an event; the same at every attempt."""
    change = message.change
    document = {"type": f"image.{change.kind}", "timestamp": change.time, "data": change.data}
    return json.dumps(document, ensure_ascii=False).encode()


class WebhookSender:
    """Posts events to one URL."""

    kind = "events"
    delay = 0.0

    def __init__(self, place: int, options: Webhook, client: Client, timeout: float) -> None:
        secrets = filter(None, (options.secret, options.secret_2))
        self._secrets = [secret.get_secret_value() for secret in secrets]
        self._url = options.url
        self._kinds = frozenset(options.kinds)
        self._client = client
        self._timeout = timeout
        self.id = f"events-{hashlib.sha256(options.url.encode()).hexdigest()[:8]}"
        self.title = f"events.{place} ({host_of(options.url)})"

    def wants(self, kind: str) -> bool:
        return kind in self._kinds

    async def send(self, message: Message) -> None:
        body, now = event(message), int(time.time())
        signed = {"Content-Type": "application/json", **headers(self._secrets, message.id, now, body)}
        await self._client.send(Request("POST", self._url, signed, body), self._timeout)
