"""If the store makes a change and its answer is lost, this node knows the change before its client gets an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.store.base import NewObject
from service.store.directory.container import DirectoryContainer
from service.store.errors import Unavailable
from tests import images
from tests.cache.nodes import node

OLD, NEW = (images.png(images.flat(8, 8, colour)) for colour in ((200, 0, 0), (0, 200, 0)))
LONG = {"cache": {"revalidate": "1h"}}


def lose_answers(monkeypatch: pytest.MonkeyPatch, method: str, error: Exception) -> None:
    """From now on the store does what this method asks, and then fails."""
    work = getattr(DirectoryContainer, method)

    async def lossy(*arguments: Any, **more: Any) -> None:
        await work(*arguments, **more)
        raise error

    monkeypatch.setattr(DirectoryContainer, method, lossy)


@pytest.mark.parametrize("error", [Unavailable("the answer was lost"), OSError("the disk failed, late")])
async def test_a_replacement_is_seen_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async with node(tmp_path, LONG) as one:
        await one.upload("a.png", OLD)
        assert (await one.api("a.png/@w=4.png")).colour == (200, 0, 0)
        lose_answers(monkeypatch, "put", error)
        assert (await one.upload("a.png", NEW)).status == 503
        assert (await one.api("a.png/@w=4.png")).colour == (0, 200, 0)


async def test_a_deletion_is_seen_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with node(tmp_path, LONG) as one:
        await one.upload("a.png", OLD)
        assert (await one.api("a.png/@w=4.png")).status == 200
        lose_answers(monkeypatch, "delete", Unavailable("the answer was lost"))
        assert (await one.delete("a.png")).status == 503
        assert (await one.api("a.png/@w=4.png")).status == 404


async def test_a_store_that_answers_nothing_more_changes_nothing_of_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def fail(_: DirectoryContainer, what: NewObject | str, **__: object) -> None:
        if isinstance(what, NewObject):
            monkeypatch.setattr(DirectoryContainer, "stat", fail)
            raise Unavailable("the first failure", retry_after=77.0)
        asked.append("stat")
        raise Unavailable("the second failure", retry_after=3.0)

    async with node(tmp_path, LONG) as one:
        monkeypatch.setattr(DirectoryContainer, "put", fail)
        answer = await one.upload("a.png", NEW)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "77")
        assert asked == ["stat"]
