"""Find the messages that no node delivers: of an earlier run of this node, and of nodes that are gone.

A node whose messages wait writes a sign of life, and writes it anew before others take it for dead. A node is dead when
neither its messages nor its sign have changed for `take_over` seconds of the observer's own clock. Several may observe
that; the sign is then written by each, and the last one to do so delivers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from service.outbox.box import ALIVE, DEAD, OUTBOX, Box
from service.outbox.change import address_of
from service.store.errors import NotFound, StoreError

ROUNDS = 3  # of looking and writing signs, in the time after which a node is dead
CLAIM = 1 / 12  # of that time, and up to twice as much, until a sign that was written over a dead one's counts
MOST_WATCHED = 10_000  # messages of other nodes
SWEEP = 600.0  # seconds between two removals of old dead letters

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Seen:
    """A sign of life, and since when it is the same, monotonic."""

    sign: bytes
    since: float


class Adoption:
    """`leave` says which ids are to be left alone, since this node works on them, or for ever; `oldest` how long the
    oldest that it works on waits, in seconds; `adopt` takes an id. Run it as a task."""

    def __init__(
        self,
        box: Box,
        node: str,
        take_over: float,
        keep_dead: float,
        leave: Callable[[str], bool],
        oldest: Callable[[], float],
        adopt: Callable[[str], None],
    ) -> None:
        self._box = box
        self._node = node
        self._take_over = take_over
        self._keep_dead = keep_dead
        self._leave = leave
        self._oldest = oldest
        self._adopt = adopt
        self._first_seen: dict[str, float] = {}
        self._signs: dict[str, Seen] = {}
        self._signed: set[str] = set()  # nodes for which this one writes signs
        self._started = time.time() * 1000
        self._swept = -SWEEP

    async def run(self) -> None:
        """Look and write until cancelled; the first look takes what an earlier run has left."""
        while True:
            try:
                await self._sign()
                await self._look()
                await self._sweep()
            except (StoreError, OSError) as error:
                log.warning("the outbox cannot be looked through: %s", error)
            except Exception:
                log.exception("the outbox cannot be looked through")
            await asyncio.sleep(self._take_over / ROUNDS * (0.8 + secrets.randbelow(401) / 1000))

    async def _sign(self) -> None:
        """Show that this node lives while something waits; remove the signs when nothing does any more."""
        if self._oldest() > self._take_over / ROUNDS:
            self._signed.add(self._node)
            for node in self._signed:
                await self._box.put(ALIVE + node, self._new_sign())
        elif not self._oldest():
            while self._signed:
                await self._box.remove(ALIVE + self._signed.pop())

    def _new_sign(self) -> bytes:
        return json.dumps({"node": self._node, "sign": secrets.token_hex(8)}).encode()

    async def _look(self) -> None:
        """Adopt what was left. What came since the last look is not old enough to be looked at more closely."""
        now, listed, old = time.monotonic(), dict[str, float](), dict[str, list[str]]()
        async for page in self._box.pages(OUTBOX):
            for one in page:
                id = one.name.removeprefix(OUTBOX)
                address = address_of(id)
                if address is None or self._leave(id):
                    continue
                if address.node == self._node and address.made < self._started:
                    self._adopt(id)
                elif len(listed) < MOST_WATCHED:
                    listed[id] = self._first_seen.get(id, now)
                    if listed[id] < now:
                        old.setdefault(address.node, []).append(id)
        self._first_seen = listed
        self._signs = {node: seen for node, seen in self._signs.items() if node in old}
        for node, ids in old.items():
            dead = node == self._node or await self._is_dead(node)
            left = [id for id in ids if now - listed[id] >= self._take_over]
            if dead and left and (node in self._signed or node == self._node or await self._claim(node)):
                for id in left:
                    self._adopt(id)

    async def _is_dead(self, node: str) -> bool:
        """Whether its sign has not changed for long enough; one that this node writes is that of a dead one."""
        if node in self._signed:
            return True
        sign = await self._sign_of(node)
        if sign is None:  # it would have written one before its messages were old
            return True
        seen = self._signs.get(node)
        if seen is None or seen.sign != sign:
            self._signs[node] = Seen(sign, time.monotonic())
            return False
        return time.monotonic() - seen.since >= self._take_over

    async def _claim(self, node: str) -> bool:
        """Write the sign of a dead node; whether no other node does so at the same time."""
        sign = self._new_sign()
        await self._box.put(ALIVE + node, sign)
        await asyncio.sleep(self._take_over * CLAIM * (1 + secrets.randbelow(1001) / 1000))
        if await self._sign_of(node) != sign:
            return False
        self._signed.add(node)
        log.info("the messages that node %s has left are delivered by this one", node)
        return True

    async def _sign_of(self, node: str) -> bytes | None:
        try:
            return await self._box.read(ALIVE + node)
        except NotFound:
            return None

    async def _sweep(self) -> None:
        """Remove dead letters that are old, and signs that no node has written for as long."""
        if time.monotonic() - self._swept < SWEEP:
            return
        self._swept = time.monotonic()
        async for page in self._box.pages(DEAD):
            for one in page:
                address = address_of(one.name.removeprefix(DEAD))
                if address is None or time.time() - address.made / 1000 >= self._keep_dead:
                    await self._box.remove(one.name)
        async for page in self._box.pages(ALIVE):
            for one in page:
                if time.time() - one.modified >= self._keep_dead:
                    await self._box.remove(one.name)
