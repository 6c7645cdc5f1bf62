"""What is said of a command that failed."""

from __future__ import annotations

import sys

from service.runtime.naming import plainly

EXPLAINED = (
    ("gateway.config", "ConfigError"),
    ("gateway.errors", "Refused"),
    ("service.supervise.program", "StartFailed"),
    ("service.supervise.twins", "TwinsDiffer"),
    ("service.store.errors", "StoreError"),
    ("service.engine.job", "EngineError"),
    ("service.runtime.lock", "AlreadyRunning"),
    ("service.client.errors", "GatewayError"),
)
"""Exceptions whose text is meant for the user. A module that is not loaded has raised nothing."""


def explain(error: Exception) -> str | None:
    """The message of a failure that the user can mend; None for a mistake of the program."""
    if isinstance(error, OSError):
        return plainly(error)
    return str(error) if any(_is_a(error, *kind) for kind in EXPLAINED) else None


def _is_a(error: Exception, module: str, kind: str) -> bool:
    return module in sys.modules and isinstance(error, getattr(sys.modules[module], kind))
