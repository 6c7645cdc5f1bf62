"""What other nodes have changed is asked of all replicas, and the answer held against what they have stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.originals import lately_changed
from service.originals.lately_changed import LatelyChanged
from service.store.base import StoredObject
from service.store.errors import Unavailable

OLD, NEW = StoredObject("a.png", 1, "old", 1000.5), StoredObject("a.png", 1, "new", 2000.5)


class Replicas:
    """A container whose answers are these, the last again and again; `asked` says for each whether the newest was."""

    def __init__(self, *answers: StoredObject) -> None:
        self.answers = list(answers)
        self.asked: list[bool] = []

    async def stat(self, _name: str, *, newest: bool = False) -> StoredObject:
        self.asked.append(newest)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def fetch(self, name: str, _target: Path, *, newest: bool = False) -> StoredObject:
        return await self.stat(name, newest=newest)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately_changed, "PAUSE", 0.0)


async def ask(changed: LatelyChanged, replicas: Replicas) -> StoredObject:
    return await changed.stat(replicas, "a.png")  # type: ignore[arg-type]


async def test_an_older_answer_than_the_entry_names_is_asked_for_again() -> None:
    changed, replicas = LatelyChanged(), Replicas(OLD, OLD, NEW)
    changed.add("a.png", ("new", 2000), 60.0)
    assert await ask(changed, replicas) == NEW
    assert replicas.asked == [True] * 3


async def test_a_store_that_has_nothing_newer_is_no_answer_to_anything() -> None:
    changed, replicas = LatelyChanged(), Replicas(OLD)
    changed.add("a.png", ("new", 2000), 60.0)
    with pytest.raises(Unavailable, match="older version"):
        await ask(changed, replicas)
    with pytest.raises(Unavailable, match="older version"):
        await changed.fetch(replicas, "a.png", Path("unused"))  # type: ignore[arg-type]


@pytest.mark.parametrize("current", [("middle", 1500), None])
async def test_what_was_stored_later_or_after_an_unknown_change_is_an_answer(current: tuple[str, int] | None) -> None:
    changed, replicas = LatelyChanged(), Replicas(NEW)
    changed.add("a.png", current, 60.0)
    assert await ask(changed, replicas) == NEW
    assert replicas.asked == [True]


async def test_an_entry_that_shows_late_does_not_take_back_what_a_later_one_named() -> None:
    changed, replicas = LatelyChanged(), Replicas(OLD, NEW)
    changed.add("a.png", ("new", 2000), 60.0)
    changed.add("a.png", ("old", 1000), 60.0)
    assert await ask(changed, replicas) == NEW


async def test_after_the_lag_one_replica_is_enough() -> None:
    changed, replicas = LatelyChanged(), Replicas(OLD)
    changed.add("a.png", ("new", 2000), -1.0)
    assert await ask(changed, replicas) == OLD
    assert replicas.asked == [False]
