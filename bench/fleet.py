"""What it costs to follow other nodes, by the number of originals, nodes and changes: CPU of the service and of Swift.

Each request is measured on a real Swift (`bench.fleet_costs`) with 20,000, 100,000 and a million originals, and the
table is computed from that: of one node with the CPU of its service, and of the fleet with the CPU of Swift.
`python -m bench.fleet [ROWS]` prints it, with so many originals only; the bars stand in docs/nodes.md.
"""

from __future__ import annotations

import asyncio
import sys

from bench.fleet_costs import OPTIONS, Cost, Costs, Sized, measure
from service.journal.digests import BEAT, CLOCK_EVERY, OFTEN
from service.journal.reader import OVERLAP, SOON
from service.maintenance import leftovers, pace

SIZES = (20_000, 100_000, 1_000_000)  # that are measured
FORMER = Cost(12e-6, 32e-6)  # for each original and minute: what a comparison of the whole listing cost
DERIVED = 10  # derived images of an original in the derived container
FLEETS = ((3, False), (1000, False), (1000, True))  # nodes, and whether they share digests
RATES = (0, 100)  # changes a second
BUSY = (1, 100)  # the same, for the number of nodes from which on digests pay
DUE = 100  # images that are due in a minute on each node: a thousand that are used all day, asked for every ten minutes
HOURS = (1 / 6, 1, 2)  # of cache.revalidate_max


def main() -> int:
    """Measure, and print the tables."""
    rows = [int(word) for word in sys.argv[1:2] if word.isdigit()] or SIZES
    costs = asyncio.run(measure(rows))
    for name in ("entry_written", "entry_read", "entry_deleted", "digest_written", "digest_read"):
        say(name, getattr(costs, name))
    for sized in costs.sized:
        for name in ("read", "head", "usage", "row"):
            say(f"{name}, {sized.originals:,} originals", getattr(sized, name))
        one = idle(sized)
        former = FORMER * sized.originals
        print(
            f"fleet    idle, a node and minute: service {one.service:.3f} s, Swift {one.swift:.3f} s,"
            f" {100 * (one.service + one.swift) / (former.service + former.swift):.1f} % of a comparison each minute"
        )
    sized = costs.sized[-1]
    print("fleet    nodes  digests  changes/s   service s/min   Swift cores: journal, entries, usage, walk, in all")
    for nodes, shared in FLEETS:
        for changes in RATES:
            node, of_all = journal(costs, sized, changes, shared), [0.0] * 4
            of_all[0] = (nodes * node.swift + (writer(costs, sized, changes).swift if shared else 0.0)) / 60
            of_all[1] = changes * (costs.entry_written + costs.entry_deleted).swift
            of_all[2] = nodes * sized.usage.swift / OPTIONS.revalidate
            of_all[3] = pace.PART
            cores = " ".join(f"{core:7.2f}" for core in [*of_all, sum(of_all)])
            print(f"fleet    {nodes:5} {shared!s:>8} {changes:10} {node.service:15.2f}   {cores}")
    for changes in BUSY:
        saved = journal(costs, sized, changes, False).swift - journal(costs, sized, changes, True).swift
        least = writer(costs, sized, changes).swift / saved
        print(f"fleet    with {changes} changes/s digests pay from {least:.0f} nodes on")
    for hours in HOURS:
        asked = sized.head * (DUE / 6 / hours)
        print(
            f"fleet    a thousand used images on a node, asked for every {60 * hours:.0f} min: service"
            f" {asked.service:.2f} s a minute; of 1,000 nodes {1000 * asked.swift / 60:.1f} cores of Swift"
        )
    for originals in (20_000, 1_000_000, 100_000_000):
        row = pace.ROW + pace.LIST / leftovers.PAGE  # what the walk takes one for, however fast this machine is
        days = originals * (1 + DERIVED) * row / pace.PART / 86400
        print(f"fleet    the walk through {DERIVED} derived images of each of {originals:,} originals: {days:.2f} days")
    return 0


def say(name: str, cost: Cost) -> None:
    print(f"fleet    {name:28} service {1e6 * cost.service:9.1f} us   Swift {1e6 * cost.swift:9.1f} us")


def idle(sized: Sized) -> Cost:
    """What one node takes a minute while nothing changes and no image is used."""
    reads = 60 / OPTIONS.journal + 2 * 60 / SOON
    return sized.read * reads + sized.usage * (60 / OPTIONS.revalidate)


def journal(costs: Costs, sized: Sized, changes: float, shared: bool) -> Cost:
    """What one node takes a minute to follow so many changes a second, but for the writer of digests. Without digests
    each entry is listed when it is new, again within the overlap, and twice more."""
    taken = Cost(costs.entry_read.service, 0.0) * (60 * changes)
    if shared:
        return costs.digest_read * (60 / OPTIONS.journal) + sized.read * (60 / CLOCK_EVERY) + taken
    return listings(sized, changes, OPTIONS.journal) + taken


def writer(costs: Costs, sized: Sized, changes: float) -> Cost:
    """What the writer of digests takes a minute: it reads more often, and looks at the digest each time."""
    interval = OPTIONS.journal / OFTEN
    written = 60 / interval if changes else 60 * BEAT / OPTIONS.journal
    read = costs.digest_read * (60 / interval)
    return listings(sized, changes, interval) + read + costs.digest_written * written


def listings(sized: Sized, changes: float, interval: float) -> Cost:
    """A minute of reads at this interval. Only an empty page ends a listing, so where rows are found it has two."""
    reads = (60 / interval + 2 * 60 / SOON) * (2 if changes else 1)
    rows = 60 * changes * (1 + OVERLAP / interval + 2)
    return sized.read * reads + sized.row * rows


if __name__ == "__main__":
    sys.exit(main())
