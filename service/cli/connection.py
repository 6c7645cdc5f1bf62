"""Choose the gateway that a command connects to, and its token."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from gateway.settings import Config
from gateway.units import url_of
from service.cli.shell import API, TOKEN
from service.client import Gateway, GatewayError


@dataclass(frozen=True, slots=True)
class Remote:
    """The URL of a gateway's API, and the token to send."""

    url: str
    token: str | None

    def connect(self) -> Gateway:
        """A client, to be used in a `with` block."""
        return Gateway(self.url, self.token)


def remote(config: Config, given: str | None) -> Remote:
    """The gateway that --api, the environment or the configuration names, in this order."""
    return Remote(given or os.environ.get(API) or url_of(config.api.listen), os.environ.get(TOKEN) or None)


def for_each(gateway: Gateway, names: Sequence[str], work: Callable[[Gateway, str], None]) -> int:
    """Do something with every name. A failure is a line on standard error, and the others go on; 1 if any failed."""
    failed = False
    for name in names:
        try:
            work(gateway, name)
        except GatewayError as error:
            text = str(error).removesuffix(f": {name.partition('/@')[0]}")  # which begins the line
            click.echo(f"{name}: {text}", err=True)
            failed = True
    return int(failed)
