"""What a derived image costs: CPU of the whole path with cold caches, of the gateway and its peers in turn.

`bench/run derive` measures every row, `bench/run derive ROW ...` only those. A bar counts as missed where three runs
out of three miss it; the runs after the first are of the rows that cost too much. Scores and bytes do not change.

    rows        what is measured: works, originals, bars
    originals   the files that the works begin with
    vips        bare libvips in a process, the peer without HTTP
    rivals      what stands for peers where none can do the work
    turns       the servers take turns at a row
    scores      SSIMULACRA2 of what they made
    verdict     what is compared with what, and which bars are missed
    table       the results as text
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import peers
from bench.derive import table
from bench.derive.originals import Originals
from bench.derive.rivals import RIVALS
from bench.derive.rows import ROWS, Row
from bench.derive.scores import score
from bench.derive.turns import take_turns
from bench.derive.verdict import COST, judge
from bench.derive.vips import vips

RUNS = 3
NAMES = tuple(row.name for row in ROWS)


def main(names: Sequence[str] = ()) -> int:
    """Measure the rows of these names, all of them by default. Print the table and return the number of rows that miss
    a bar."""
    rows = [row for row in ROWS if row.name in names or not names]
    peers.HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=peers.HOME) as folder:
        return _measure(rows, Path(folder))


def _measure(rows: list[Row], scratch: Path) -> int:
    pictures = scratch / "pictures"
    pictures.mkdir()
    originals = Originals(scratch)
    missed: dict[Row, frozenset[str]] = {}
    again = rows
    for run in range(1, RUNS + 1):
        print(f"\nrun {run}\n{table.HEAD}", flush=True)
        with peers.all_servers(pictures, scratch / f"run-{run}", _starts(again)) as servers:
            for row in again:
                results = take_turns(servers, row, originals[row.source], pictures)
                if row.is_scored:
                    score(originals[row.source], results.values())
                judged = judge(row, results)
                missed[row] = missed.get(row, judged.missed) & judged.missed
                print(table.line(row, judged), flush=True)
        again = [row for row in again if any(bar.startswith(COST) for bar in missed[row])]  # the rest stays the same
        if not again:
            break
    short = {row: bars for row, bars in missed.items() if bars}
    for row, bars in short.items():
        print(f"missed: {row.title}: {', '.join(sorted(bars))}")
    return len(short)


def _starts(rows: list[Row]) -> list[peers.Start]:
    """What these rows are measured at; ours first."""
    usual = () if all(row.rival for row in rows) else (*peers.SERVERS[1:], vips, peers.imagemagick)
    return [peers.gateway, *usual, *(RIVALS[name] for name in sorted({row.rival for row in rows} - {""}))]
