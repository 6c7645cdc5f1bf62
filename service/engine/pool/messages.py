"""What the service and the processes of the engine send each other. Both sides import this, so it loads no library of
the engine: the service has no use for one."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from service.engine.job import Header, Job, Limits, Overlay, Result

LINE = 64 * 1024
"""The longest line in either direction between the service and an engine process, in bytes."""

PACKET = 64 * 1024
"""The longest packet in either direction between the service and the fork server, in bytes."""


def encode_job(job: Job) -> bytes:
    """One line. Raises ValueError when it would be longer than LINE."""
    line = _encode(job).encode() + b"\n"
    if len(line) > LINE:
        raise ValueError(f"a job of {len(line)} bytes; {LINE} is the most")
    return line


def encode_result(result: Result) -> dict[str, Any]:
    """What a reply says of a result."""
    return _plain(result)


def _plain(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in _FIELDS[type(part)]}


_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Job, Header, Limits, Overlay, Result)
}
_encode = json.JSONEncoder(default=_plain).encode


def decode_job(line: bytes) -> Job:
    parts = json.loads(line)
    return Job(
        **{
            **parts,
            "header": Header(**parts["header"]),
            "limits": Limits(**parts["limits"]),
            "keep": tuple(parts["keep"]),
            "fields": tuple(parts["fields"]),
            "flaws": tuple(parts["flaws"]),
            "overlays": {
                name: Overlay(**{**row, "fonts": tuple(row["fonts"])}) for name, row in parts["overlays"].items()
            },
        }
    )
