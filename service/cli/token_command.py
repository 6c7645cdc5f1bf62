"""`image-gateway token`: a new token for the API, its hash, and the lines that make the gateway accept it."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import get_args

import click

from gateway.api_settings import Scope
from service.cli.arguments import local_command
from service.runtime.configuration import Loaded

BYTES = 32  # of randomness: as many as the hash has
SCOPES = get_args(Scope)


def _name(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text):
        raise click.BadParameter(f"{text}: must be 1 to 64 letters, digits, dots, - and _")
    return text


def _scopes(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    found = text.split(",")
    for scope in found:
        if scope not in SCOPES:
            raise click.BadParameter(f"{scope}: must be some of {','.join(SCOPES)}")
    return found


@local_command("token", "token --name resizer --scopes read,url")
@click.option("--name", callback=_name, default="internal", show_default=True, metavar="NAME", help="Who it is for.")
@click.option(
    "--scopes", callback=_scopes, default=",".join(SCOPES), show_default=True, metavar="SCOPE,…", help="What it may do."
)
def token(_loaded: Loaded, name: str, scopes: list[str]) -> int:
    """Print a new token for the API, and what makes the gateway accept it."""
    click.echo(new_token(name, scopes), nl=False)
    return 0


def new_token(name: str, scopes: list[str]) -> str:
    """Return what the command prints. The gateway is only ever given the hash."""
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
