"""How many other nodes there are, by the entries that they have written lately: with many, digests pay.

A node that was started anew counts once more, until the entries from before are old.

With few the writer of digests, which reads more often than others, costs more than it saves: `bench/run fleet`.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.journal import ANY_NODE, parse_entries

MANY = 16  # other nodes from which on digests pay
WHILE = 600.0  # seconds for which an entry tells that its node is there
MOST = 1000  # nodes that are remembered


class Peers:
    """The nodes whose entries this one, `node`, has seen. All times are the store's, in seconds since the epoch."""

    def __init__(self, node: str) -> None:
        self._own = {node, ANY_NODE}
        self._heard: OrderedDict[str, float] = OrderedDict()  # those that were heard of last are at the end

    def heard_of(self, name: str) -> None:
        """The object of this name was seen."""
        entries = parse_entries(name)
        if not entries or entries[0].node in self._own:
            return
        entry = entries[0]
        self._heard[entry.node] = max(entry.time, self._heard.get(entry.node, 0.0))
        self._heard.move_to_end(entry.node)
        if len(self._heard) > MOST:
            self._heard.popitem(last=False)

    def are_many(self, now: float) -> bool:
        """Whether so many others have written entries lately that digests pay."""
        return sum(heard >= now - WHILE for heard in self._heard.values()) >= MANY
