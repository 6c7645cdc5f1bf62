from __future__ import annotations

import time

import pytest

from service.engine.pool.blocklist import MOST, SECONDS, STRIKES, Blocklist


def test_content_is_refused_after_so_many_strikes_and_no_other_is() -> None:
    memory = Blocklist()
    for _ in range(STRIKES):
        assert "bomb" not in memory
        memory.strike("bomb")
    assert "bomb" in memory
    assert "cat" not in memory


def test_content_is_forgiven_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    memory = Blocklist()
    for _ in range(STRIKES):
        memory.strike("bomb")
    now += SECONDS - 1
    assert "bomb" in memory
    now += 1
    assert "bomb" not in memory
    memory.strike("bomb")
    assert "bomb" not in memory


def test_unknown_content_is_nobody() -> None:
    memory = Blocklist()
    for _ in range(STRIKES):
        memory.strike("")
    assert "" not in memory


def test_memory_is_bounded() -> None:
    memory = Blocklist()
    for n in range(MOST + 10):
        memory.strike(str(n))
    assert len(memory) == MOST
