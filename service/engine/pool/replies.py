"""What an engine process replies, read with suspicion."""

from __future__ import annotations

import logging
from typing import Any

from service.engine.job import EngineError, Malfunction, Removed, Result
from service.engine.pool.ending import Died

IMPOSSIBLE = "the image could not be made"

_REPORTED: dict[str, type[EngineError]] = {error.code: error for error in (EngineError, Removed)}
_REPORTED.update({error.code: error for error in EngineError.__subclasses__()})

log = logging.getLogger(__name__)


def outcome(reply: dict[str, Any]) -> Result | EngineError:
    """Return what a reply says. Raises Died for what no process of ours would say."""
    try:
        if "result" in reply:
            return Result(**{**reply["result"], "flaws": tuple(reply["result"].get("flaws", ()))})
        code, detail = reply["error"], reply["detail"]
    except (KeyError, TypeError) as error:
        raise Died("it spoke nonsense") from error
    if code in _REPORTED and code != Malfunction.code:  # its detail is a traceback
        return _REPORTED[code](detail)
    log.error("the engine failed: %s", detail)
    return Malfunction(IMPOSSIBLE)
