from __future__ import annotations

import asyncio
import weakref

import pytest

from service.engine.pool.queue import PATIENCE, Closed, Full, Queue

LANES = {"small": 4, "large": 1}


async def waits(admission: Queue[str], lane: str, key: str) -> asyncio.Task[str]:
    """A caller that has got as far as waiting."""
    task = asyncio.ensure_future(admission.acquire(lane, key))
    await asyncio.sleep(0)
    return task


async def admitted(admission: Queue[str], slot: str, tasks: dict[str, asyncio.Task[str]]) -> str:
    """Whom of `tasks` the admission gives this slot."""
    before = {name for name, task in tasks.items() if task.done()}
    admission.offer(slot)
    for _ in range(3):
        await asyncio.sleep(0)
    (name,) = {name for name, task in tasks.items() if task.done()} - before
    assert await tasks[name] == slot
    return name


async def test_free_slot_is_given_at_once() -> None:
    admission: Queue[str] = Queue(LANES, 0)
    admission.offer("one")
    assert await admission.acquire("small", "k") == "one"


async def test_lane_is_first_come_first_served() -> None:
    admission: Queue[str] = Queue(LANES, 9)
    tasks = {name: await waits(admission, "small", name) for name in "abc"}
    assert [await admitted(admission, "one", tasks) for _ in tasks] == ["a", "b", "c"]


async def test_full_lane_refuses_at_once_and_takes_nothing_from_the_other() -> None:
    admission: Queue[str] = Queue(LANES, 2)
    tasks = [await waits(admission, "large", "k") for _ in range(2)]
    with pytest.raises(Full):
        await admission.acquire("large", "k")
    assert admission.waiting == {"small": 0, "large": 2}
    small = await waits(admission, "small", "k")
    assert admission.waiting == {"small": 1, "large": 2}
    for task in (*tasks, small):
        task.cancel()


async def test_small_does_not_wait_behind_ten_large_and_large_is_not_starved() -> None:
    admission: Queue[str] = Queue(LANES, 99)
    tasks = {f"L{n}": await waits(admission, "large", "k") for n in range(10)}
    tasks |= {f"S{n}": await waits(admission, "small", "k") for n in range(40)}
    order = [await admitted(admission, "one", tasks) for _ in tasks]
    assert order[0].startswith("S")
    for five in range(0, 50, 5):
        assert sum(name.startswith("L") for name in order[five : five + 5]) == 1


async def test_lone_lane_has_all_slots() -> None:
    admission: Queue[str] = Queue(LANES, 9)
    tasks = {name: await waits(admission, "large", name) for name in "abc"}
    assert [await admitted(admission, slot, tasks) for slot in ("one", "two", "three")] == ["a", "b", "c"]


async def test_cancelled_waiter_leaves_the_queue() -> None:
    admission: Queue[str] = Queue(LANES, 2)
    tasks = {name: await waits(admission, "small", name) for name in "ab"}
    tasks["a"].cancel()
    assert await admitted(admission, "one", {"b": tasks["b"]}) == "b"
    assert admission.waiting == {"small": 0, "large": 0}


async def test_slot_given_to_a_caller_that_is_cancelled_in_the_same_instant_is_not_lost() -> None:
    admission: Queue[str] = Queue(LANES, 2)
    first = await waits(admission, "small", "a")
    second = await waits(admission, "small", "b")
    admission.offer("one")
    first.cancel()
    assert await second == "one"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_key_returns_to_the_free_slot_that_had_it() -> None:
    admission: Queue[str] = Queue(LANES, 2)
    for slot in ("one", "two", "three"):
        admission.offer(slot)
    homes = {key: await admission.acquire("small", key) for key in ("cat", "dog", "owl")}
    for slot in ("one", "two", "three"):
        admission.offer(slot)
    for key in ("dog", "owl", "cat"):
        assert await admission.acquire("small", key) == homes[key]


async def test_no_slot_idles_for_the_sake_of_a_key() -> None:
    admission: Queue[str] = Queue(LANES, 2)
    admission.offer("one")
    admission.offer("two")
    assert {await admission.acquire("small", "hot"), await admission.acquire("small", "hot")} == {"one", "two"}


async def test_slot_takes_what_it_knows_then_what_nobody_knows_then_anything() -> None:
    admission: Queue[str] = Queue(LANES, 9)
    admission.offer("one")
    admission.offer("two")
    mine = {await admission.acquire("small", "cat"): "cat", await admission.acquire("small", "dog"): "dog"}
    theirs = mine["two"]
    own = mine["one"]
    tasks = {name: await waits(admission, "small", key) for name, key in (("c", theirs), ("b", "new"), ("a", own))}
    assert [await admitted(admission, "one", tasks) for _ in tasks] == ["a", "b", "c"]


async def test_first_in_line_is_overtaken_only_so_often() -> None:
    admission: Queue[str] = Queue(LANES, 99)
    admission.offer("one")
    await admission.acquire("small", "hot")
    tasks = {"patient": await waits(admission, "small", "other")}
    tasks |= {f"hot{n}": await waits(admission, "small", "hot") for n in range(PATIENCE + 3)}
    order = [await admitted(admission, "one", tasks) for _ in tasks]
    assert order.index("patient") == PATIENCE


async def test_slot_that_is_gone_is_never_given() -> None:
    admission: Queue[str] = Queue(LANES, 1)
    admission.offer("one")
    admission.offer("two")
    admission.withdraw("one")
    assert await admission.acquire("small", "k") == "two"
    assert await admitted(admission, "three", {"a": await waits(admission, "small", "k")}) == "a"


async def test_slot_that_is_gone_is_held_no_longer() -> None:
    class Slot: ...

    admission: Queue[Slot] = Queue(LANES, 1)
    slot = Slot()
    admission.offer(slot)
    await admission.acquire("small", "k")
    admission.withdraw(slot)
    gone = weakref.ref(slot)
    del slot
    assert gone() is None


async def test_close_turns_away_who_waits_and_who_comes() -> None:
    admission: Queue[str] = Queue(LANES, 2)
    task = await waits(admission, "small", "k")
    admission.close()
    with pytest.raises(Closed):
        await task
    admission.offer("one")
    with pytest.raises(Closed):
        await admission.acquire("small", "k")


async def test_new_slot_is_the_first_for_another_key() -> None:
    admission: Queue[str] = Queue(LANES, 1)
    admission.offer("one")
    admission.offer("two", new=True)
    assert await admission.acquire("small", "k") == "two"


async def test_while_slots_are_missing_so_many_more_may_wait() -> None:
    admission: Queue[str] = Queue(LANES, 1, missing=lambda: 2)
    tasks = [await waits(admission, "small", "k") for _ in range(3)]
    with pytest.raises(Full):
        await admission.acquire("small", "k")
    for task in tasks:
        task.cancel()


async def test_slots_are_wanted_for_a_job_those_that_wait_and_another_key() -> None:
    admission: Queue[str] = Queue({"quick": 1, "slow": 1}, 9, {"slow": 1})
    assert admission.wanting("quick", "a") == 2
    admission.offer("one")
    assert admission.wanting("quick", "a") == 1
    assert await admission.acquire("quick", "a") == "one"
    assert admission.wanting("quick", "a") == 1
    tasks = [await waits(admission, lane, "a") for lane in ("quick", "slow", "slow")]
    assert admission.wanting("quick", "a") == 3, "the slow lane has one slot at most"
    for task in tasks:
        task.cancel()
    admission.close()
    assert admission.wanting("quick", "b") == 0


async def test_only_a_slot_that_is_free_is_taken_back() -> None:
    admission: Queue[str] = Queue(LANES, 1)
    admission.offer("one")
    await admission.acquire("small", "k")
    assert not admission.take_back("one")
    admission.offer("one")
    assert admission.take_back("one")
    assert admission.wanting("small", "k") == 2
