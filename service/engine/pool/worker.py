"""An engine process: one JSON job a line in, one JSON reply a line out, nothing else on those two pipes.

Its module has the entry points `derive`, `describe`, `verify` (each takes a Job, returns a Result, raises EngineError),
`capabilities`, and `forget`, which lets go of what it holds for the next job. The first line out is
`{"ready": true, "capabilities": ..., "sandbox": ...}`; a reply is `{"result": ...}` or
`{"error": CODE, "detail": TEXT}`.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from service.engine.job import DiskFull, EngineError, Job, Malfunction, Removed, Result
from service.engine.memory import BOUND, give_back
from service.engine.pool import free_memory
from service.engine.pool.messages import LINE, decode_job, encode_result
from service.engine.sandbox import denied, sandbox

FULL = (errno.ENOSPC, errno.EDQUOT)
TRIAL = 64 * 1024
"""Bytes that are written to find out whether there is room."""

IDLE = 60_000
"""Milliseconds without a job after which a process holds nothing for the next one: of what was freed it held up to
32 MiB, and of originals 16, or 256 for tiles. The next job takes 1 to 5 ms longer, or has to decode."""

TEMPORARY = "MAGICK_TEMPORARY_PATH"
"""The variable of the folder for ImageMagick's temporary files. The sandbox lets it make none; where the kernel has no
Landlock, they do not lie in /tmp."""


def work(bounds: sandbox.Sandbox, entries: Any, capabilities: Any) -> None:
    """Close the sandbox, and do jobs until standard input ends."""
    requests, replies = _take_pipes()
    for folder in bounds.writable[:1]:
        os.environ[TEMPORARY] = folder  # it goes with the process, whatever a kill leaves there
    report = sandbox.enter(bounds)
    _write(replies, {"ready": True, "capabilities": capabilities, "sandbox": report})
    while line := _next(requests, entries):
        sandbox.allow_cpu(bounds.seconds)
        answer = _answer(entries, line)
        _write(replies, answer)
        _tidy(requests, answer)


def _next(requests: BinaryIO, entries: Any) -> bytes:
    """Wait for the next job. Where there is none for IDLE, nothing stays for it: neither an original that was decoded
    nor memory that was freed."""
    if not free_memory.is_wanted_within(IDLE, requests):
        entries.forget()
        give_back()
    return requests.readline(LINE)


def _tidy(requests: BinaryIO, answer: dict[str, Any]) -> None:
    """Give memory back after a job. What a JPEG as JPEG XL has taken stays for the next one, which is likely to be such
    a job, too: a third of its time would be page faults."""
    if "error" in answer:
        gc.collect()  # of what an exception's frames hold: pixels, where they refer to each other
    transcoded = answer.get("result", {}).get("transcoded")
    if not (transcoded and free_memory.is_wanted_soon(requests)):
        free_memory.give_back_above(BOUND)


def _answer(entries: Any, line: bytes) -> dict[str, Any]:
    try:
        job = decode_job(line)
        work: Callable[[Job], Result] = getattr(entries, job.task)
        return {"result": encode_result(work(job))}
    except EngineError as error:
        if denied.denial(error):
            return _failed(error)
        return {"error": error.code, "detail": str(error)[:2000]}
    except MemoryError:
        return {"error": "too-large", "detail": "the image takes more memory than an engine process may use"}
    except Exception as error:
        return _unforeseen(error, job)


def _unforeseen(error: Exception, job: Job) -> dict[str, Any]:
    """The reply to what no EngineError describes: the machine may be the cause, else it is a mistake of ours."""
    if isinstance(error, FileNotFoundError) and str(error.filename) == job.source:
        return {"error": Removed.code, "detail": "the original was replaced or removed meanwhile"}
    reason = _lacks_room(error, job.output)
    if reason:
        return {"error": DiskFull.code, "detail": reason}
    return _failed(error)


def _failed(error: Exception) -> dict[str, Any]:
    """The reply to a mistake of ours, with what the sandbox has denied, if it has; the detail is for the log only."""
    told = denied.denial(error)
    cause = [f"the sandbox denies what is needed: {told}"] if told else []
    return {"error": Malfunction.code, "detail": "\n".join([*cause, traceback.format_exc()[-4000:]])}


def _lacks_room(error: Exception, output: str) -> str | None:
    """What the system says of a disk or a quota that is full, None where that is not the cause. Libraries that write
    by themselves do not tell their error, so it is tried."""
    if isinstance(error, OSError) and error.errno in FULL:
        return os.strerror(error.errno)
    if not output:
        return None
    try:
        with Path(output).open("r+b") as file:
            file.write(bytes(TRIAL))
            file.truncate(0)
    except OSError as refused:
        return os.strerror(refused.errno) if refused.errno in FULL else None
    return None


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the protocol away from descriptors 0 and 1, which libraries may read and print to."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def _write(replies: BinaryIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message).encode() + b"\n")
    replies.flush()
