"""Events: each change, posted to a URL and signed by the specification of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence

from gateway.outbox_settings import Webhook, secret_bytes
from service.outbox.change import Message
from service.outbox.sending import Client, Request, host_of

VERSION = "v1"  # of a signature by HMAC-SHA256


def signature(id: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> str:
    """The value of `webhook-signature`: for each key `v1,` and the HMAC-SHA256 of `ID.TIMESTAMP.BODY` in base64."""
    signed = f"{id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"{VERSION},{base64.b64encode(digest).decode()}" for digest in digests)


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
        self._keys = [secret_bytes(secret.get_secret_value()) for secret in secrets]
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
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(message.id, now, body, self._keys),
        }
        await self._client.send(Request("POST", self._url, headers, body), self._timeout)
