"""`image-gateway token`: a new token for the API, its hash, and the lines that make the gateway accept it."""

from __future__ import annotations

import argparse
import hashlib
import re
import secrets
from typing import Any, get_args

from gateway.settings import Scope

BYTES = 32  # of randomness: as many as the hash has
SCOPES = get_args(Scope)


def new_token(name: str, scopes: list[str]) -> str:
    """What the command prints. The gateway is only ever given the hash."""
    token = secrets.token_urlsafe(BYTES)
    digest = hashlib.sha256(token.encode()).hexdigest()
    entry = f"{{name: {name}, sha256: {digest}, scopes: [{', '.join(scopes)}]}}"
    return (
        f"token:  {token}\n"
        f"sha256: {digest}\n"
        "\n"
        "# In config.yaml:\n"
        "api:\n"
        "  tokens:\n"
        f"    - {entry}\n"
        "\n"
        "# or in the environment of the gateway:\n"
        f"IMAGE_GATEWAY_API__TOKENS='[{entry}]'\n"
        "\n"
        "# Clients send it as `Authorization: Bearer TOKEN`; the commands of image-gateway take it from here:\n"
        f"export IMAGE_GATEWAY_TOKEN={token}\n"
    )


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text):
        raise argparse.ArgumentTypeError(f"{text}: must be 1 to 64 letters, digits, dots, - and _")
    return text


def _scopes(text: str) -> list[str]:
    found = text.split(",")
    for scope in found:
        if scope not in SCOPES:
            raise argparse.ArgumentTypeError(f"{scope}: must be some of {','.join(SCOPES)}")
    return found


ARGUMENTS: list[tuple[list[str], dict[str, Any]]] = [
    (["--name"], {"type": _name, "default": "internal", "metavar": "NAME", "help": "who it is for (internal)"}),
    (
        ["--scopes"],
        {
            "type": _scopes,
            "default": list(SCOPES),
            "metavar": "SCOPE,…",
            "help": f"what it may do ({','.join(SCOPES)})",
        },
    ),
]
