"""The results as a table in Markdown."""

from __future__ import annotations

from bench.derive.rivals import RIVALS
from bench.derive.rows import Row
from bench.derive.turns import OURS, Found
from bench.derive.verdict import Verdict

PEERS = ("thumbor", "IPX", "libvips", *RIVALS)
NAMES = ("gateway", *PEERS, "imagemagick")
_COLUMNS = ("row", *NAMES, *(f"to {name}" for name in PEERS), "scores", "kB", "missed")
HEAD = f"| {' | '.join(_COLUMNS)} |\n{'| --- ' * len(_COLUMNS)}|"


def line(row: Row, verdict: Verdict) -> str:
    """CPU in milliseconds, ratios with their bars, scores and bytes in the order of the names, and missed bars. Bytes
    of a ladder are those at the score of ours."""
    found = [verdict.results.get(name) for name in NAMES]
    costs = (f"{one.cost:.1f}" if one else "" for one in found)
    compared = [verdict.comparisons.get(name) for name in PEERS]
    ratios = (f"{one.ratio:.2f} ({one.bar:.2f})" if one else "" for one in compared)
    scores = ", ".join(f"{one.score:.1f}" if one and row.is_scored else "-" for one in found)
    sizes = ", ".join(_kilobytes(one, verdict.results[OURS].score) for one in found)
    missed = ", ".join(sorted(verdict.missed))
    return f"| {row.title} | {' | '.join((*costs, *ratios))} | {scores} | {sizes} | {missed} |"


def _kilobytes(found: Found | None, score: float) -> str:
    size = found.bytes_at(score) if found else None
    return "-" if size is None else f"{size / 1000:.1f}"
