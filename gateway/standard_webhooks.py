"""Sign messages to other services by Standard Webhooks 1.0.0, symmetric signatures:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

    webhook-id: ID
    webhook-timestamp: SECONDS
    webhook-signature: v1,BASE64[ v1,BASE64 …]

A signature is the HMAC-SHA-256 of `ID.SECONDS.BODY`. Its key is the base64 behind `whsec_` in the secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)
"""How many bytes a key may have, by the specification."""

SECRET = f"{PREFIX} and {KEY_BYTES[0]} to {KEY_BYTES[-1]} bytes in base64"


def key_of(secret: str) -> bytes:
    """The key in a secret. Raises ValueError with what would be right; the text does not hold the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in KEY_BYTES:
        raise ValueError(f"must be {SECRET}, as `echo {PREFIX}$(openssl rand -base64 32)` prints it")
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, such as `v1,BASE64`; `timestamp` is in seconds since the epoch. Raises ValueError as `key_of`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message, signed with each of the secrets: several while one replaces another.

    `message_id` holds no dot, and is the same in every attempt to send the message; `timestamp` is that of the attempt,
    in seconds since the epoch. Raises ValueError as `key_of`.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }
