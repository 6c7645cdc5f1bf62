"""Which gateway a command speaks to, and as whom."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.settings import Config
from gateway.units import split_listen
from service.cli.arguments import API, TOKEN
from service.client import Gateway

ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # compared with, not listened on


@contextmanager
def connected(config: Config, options: argparse.Namespace) -> Iterator[Gateway]:
    """The gateway that the command means."""
    with Gateway(address(config, options), token()) as gateway:
        yield gateway


def address(config: Config, options: argparse.Namespace) -> str:
    """The URL of its API."""
    host, port = split_listen(config.api.listen)
    local = f"http://{ANY_HOST.get(host, f'[{host}]' if ':' in host else host)}:{port}"
    return str(options.api or os.environ.get(API) or local)


def token() -> str | None:
    """The token, where the environment has one."""
    return os.environ.get(TOKEN) or None
