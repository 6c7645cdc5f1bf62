"""Entry points of an engine process in which a thread runs once it is imported."""

from __future__ import annotations

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()


def capabilities() -> dict[str, tuple[bool, bool]]:
    return {}
