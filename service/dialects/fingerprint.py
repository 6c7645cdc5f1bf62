"""The fingerprint of what decides the meaning of dialects' URLs, by which nginx knows which translations hold."""

from __future__ import annotations

import hashlib
import json

from pydantic import SecretStr

from gateway.rules import Rules
from gateway.settings import Config


def fingerprint(config: Config, rules: Rules) -> str:
    """16 hex digits that differ where a URL may mean something else: nginx remembers what it meant under one."""
    dialects = config.dialects.model_dump()
    text = json.dumps([rules.document(), config.public.base_url, dialects], default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
