"""What a call to Swift costs the service: by python-swiftclient's own connection, and by ours below it.

CPU of this process for one call over a connection that is open, in turns, and the median of the ratios. Then a call
through the pool, with the hop to a thread and back. `bench/run swift_calls` exits with the number of rows over the bar.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swiftclient import Connection

from service.store.swift.connections import Pool
from service.store.swift.http_connection import SwiftConnection
from tests.swift.server import running_swift
from tests.swift.stores import settings_for

ROUNDS = 9
CALLS = 60  # of each kind in each round
BAR = 0.5  # of the CPU through `requests`

KINDS: dict[str, Callable[[Any], Any]] = {
    "HEAD": lambda connection: connection.head_object("bench", "object"),
    "GET of 10 KB": lambda connection: connection.get_object("bench", "object"),
    "PUT of 10 KB": lambda connection: connection.put_object("bench", "object", bytes(10_000)),
}


def main() -> int:
    """Print the table; the number of rows over their bar."""
    with tempfile.TemporaryDirectory() as folder, running_swift(Path(folder)) as swift:
        pool = Pool(settings_for(swift.url))
        grant = pool.tokens.grant()
        login = {"preauthurl": grant.storage_url, "preauthtoken": grant.token, "retries": 0}
        theirs, ours = Connection(**login, timeout=20), SwiftConnection(**login, timeout=(20, 20))
        ours.put_container("bench")
        ours.put_object("bench", "object", bytes(10_000))
        print("\n| call | by requests, ms | ours, ms | ratio | bar | through the pool, ms |")
        print("| --- | --- | --- | --- | --- | --- |")
        over = 0
        for kind, call in KINDS.items():
            pairs = [(_cost(call, theirs), _cost(call, ours)) for _ in range(ROUNDS)]
            before, after = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(own / own_before for own_before, own in pairs)
            pooled = asyncio.run(_pooled(pool, call))
            print(f"| {kind} | {before:.2f} | {after:.2f} | {ratio:.2f} | {BAR} | {pooled:.2f} |", flush=True)
            over += ratio > BAR
        pool.close()
    return over


def _cost(call: Callable[[Any], Any], connection: Any) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        call(connection)
    return (time.process_time() - began) * 1000 / CALLS


async def _pooled(pool: Pool, call: Callable[[Any], Any]) -> float:
    await pool.call(call)
    began = time.process_time()
    for _ in range(CALLS):
        await pool.call(call)
    return (time.process_time() - began) * 1000 / CALLS


if __name__ == "__main__":
    raise SystemExit(main())
