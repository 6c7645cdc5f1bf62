"""Senders that are slow, or stop."""

from __future__ import annotations

import asyncio

import pytest

from service.api.http import body
from service.api.http.body import GRACE, IDLE, SLOWEST, Patience
from service.api.http.errors import SlowSender


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pause_is_borne_for_so_long() -> None:
    clock = Clock()
    patience = Patience(clock)
    assert patience.left(0) == IDLE
    clock.now = 10.0
    assert patience.left(100 * SLOWEST) == IDLE


def test_whoever_is_slower_than_the_slowest_runs_out_of_grace() -> None:
    clock = Clock()
    patience = Patience(clock)
    clock.now = GRACE + 99.0
    assert patience.left(100 * SLOWEST) == pytest.approx(1.0)
    assert patience.left(98 * SLOWEST) < 0


async def test_a_sender_that_stops_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "IDLE", 0.01)
    with pytest.raises(SlowSender):
        await Patience().wait(asyncio.sleep(10), 0)
