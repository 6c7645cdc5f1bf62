"""The service alone, on the Swift that the environment names: what `python -m service serve` is with that store."""

from __future__ import annotations

import os
import sys

from gateway.settings import Config
from service import cli, server
from service.store.base import Store
from service.store.swift import SwiftStore
from service.store.swift_settings import SwiftSettings, settings_from_environment


def open_swift(config: Config) -> Store:
    options = config.store.swift
    settings = SwiftSettings(container=options.container, derived_container=options.derived_container)
    return SwiftStore(settings_from_environment(settings, os.environ))


if __name__ == "__main__":
    server.open_store = open_swift
    sys.exit(cli.main())
