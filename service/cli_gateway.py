"""Which gateway a command speaks to, and as whom."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.settings import Config
from gateway.units import url_of
from service.cli_client import API, TOKEN
from service.client import Gateway


@contextmanager
def connected(config: Config, options: argparse.Namespace) -> Iterator[Gateway]:
    """The gateway that the command means."""
    with Gateway(address(config, options), token()) as gateway:
        yield gateway


def address(config: Config, options: argparse.Namespace) -> str:
    """The URL of its API."""
    return str(options.api or os.environ.get(API) or url_of(config.api.listen))


def token() -> str | None:
    """The token, where the environment has one."""
    return os.environ.get(TOKEN) or None
