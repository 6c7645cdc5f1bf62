"""The bars: what a row may cost against each peer, at what score and in how many bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from bench.derive.rows import Row
from bench.derive.turns import OURS, Found

VIPS = "libvips"
OURS_TOO = "imagemagick"  # the gateway with another library: no peer, and without a bar
COST, SCORE, BYTES = "cost", "score", "bytes"
OF_A_SERVER = 0.95  # of the CPU of a peer that serves
SCORE_SLACK = 0.1  # points: what a table shows as equal


@dataclass(frozen=True)
class Comparison:
    """Ours against one peer: the ratio of CPU and its bar, and which of COST, SCORE and BYTES are missed."""

    ratio: float
    bar: float
    missed: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """A row's results by server, its comparisons by peer, and the bars that are missed, in words."""

    results: Mapping[str, Found]
    comparisons: Mapping[str, Comparison]
    missed: frozenset[str]


def judge(row: Row, results: Mapping[str, Found]) -> Verdict:
    """Compare the results of one run of a row."""
    ours = results[OURS]
    peers = {name: _compare(row, name, ours, found) for name, found in results.items() if name not in (OURS, OURS_TOO)}
    missed = {f"{word} of {name}" for name, comparison in peers.items() for word in comparison.missed}
    if row.most is not None and ours.cost > row.most:
        missed.add(f"{COST}, {row.most:g} ms")
    return Verdict(results, peers, frozenset(missed))


def _compare(row: Row, name: str, ours: Found, peer: Found) -> Comparison:
    ratio = paired(ours.costs, peer.costs)
    bar = OF_A_SERVER if name != VIPS else (row.most or row.vips_share * peer.cost + row.vips_extra) / peer.cost
    bar = row.share if row.rival else bar
    most = peer.bytes_at(ours.score)
    met = {
        COST: ratio <= bar or (name == VIPS and row.most is not None),
        SCORE: ours.score >= peer.score - SCORE_SLACK or bool(peer.curve),
        BYTES: most is not None and ours.bytes <= row.bytes_share * most,
    }
    return Comparison(ratio, bar, tuple(word for word, is_met in met.items() if not is_met))


def paired(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios within each round, which a busy moment of the machine shifts least."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))
