"""Open the configured store."""

from __future__ import annotations

import os
from dataclasses import replace

from pydantic import SecretStr

from gateway.settings import Config
from gateway.store_settings import SwiftOptions, TempUrl
from service.cache.generation import RECORD
from service.runtime.paths import paths_of
from service.store.base import Store
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.directory.temp_urls import url_settings
from service.store.swift.settings import SwiftSettings, TempUrlSettings, settings_from_environment


def open_store(config: Config) -> Store:
    """The configured store, not started yet."""
    if config.store.kind == "swift":
        from service.store.swift.store import SwiftStore  # noqa: PLC0415  # 0.2 s of imports that only this store needs

        settings = replace(
            _swift(config.store.swift),
            derived_needed=config.cache.persist != "never",
            incoming_quota=config.intake.quota,
            incoming_origins=tuple(config.intake.origins),
        )
        return SwiftStore(settings_from_environment(settings, os.environ))
    return DirectoryStore(directory_settings(config))


def tells(config: Config) -> bool:
    """Whether messages about changes are configured, so that there is an outbox."""
    return bool(config.events) or config.cdn.kind != "none"


def directory_settings(config: Config) -> DirectorySettings:
    """Where the directory store lies. Caches that were begun have seen originals."""
    base, options = config.base.absolute(), config.store.directory
    caches = paths_of(config).work.parent
    begun = (caches / RECORD).exists()
    return DirectorySettings(
        base / options.root,
        base / options.derived,
        home=base,
        new=not begun,
        not_images=frozenset(options.not_images),
        urls=url_settings(config),
        outbox=base / options.outbox if tells(config) else None,
        incoming=base / options.incoming,
        incoming_quota=config.intake.quota,
        caches=caches,
    )


def _swift(options: SwiftOptions) -> SwiftSettings:
    plain = options.model_dump(
        exclude={
            "key",
            "application_credential_secret",
            "temp_url",
            "derived_expiry",
            "journal_container",
            "incoming_key",
        },
    )
    return SwiftSettings(
        **plain,
        journal_container=options.journal_container or f"{options.container}-journal",
        key=_reveal(options.key),
        application_credential_secret=_reveal(options.application_credential_secret),
        temp_url=_temp_url(options.temp_url),
        incoming_keys=(_reveal(options.incoming_key),) if options.incoming_key else (),
        delete_after=int(options.derived_expiry) or None,
    )


def _temp_url(options: TempUrl) -> TempUrlSettings:
    return TempUrlSettings(
        keys=tuple(key for key in (_reveal(options.key), _reveal(options.key_2)) if key),
        scope=options.scope,
        digest=options.digest,
        lifetime=options.lifetime,
        max_lifetime=options.max_lifetime,
    )


def _reveal(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
