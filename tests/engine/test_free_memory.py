"""What an image has freed stays for the next: up to a bound, or for a second, and it counts as room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from service.engine import memory, pipeline
from service.engine.memory import BOUND
from service.engine.picture import Details, Frame
from service.engine.pool import free_memory, worker
from service.engine.recent import Decoded, recalled
from tests.engine.pools import Begin, job
from tests.engine.test_fork_server import kilobytes
from tests.waiting import eventually


def test_a_request_that_is_there_wants_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    requests, service = os.pipe()
    with os.fdopen(requests, "rb") as waiting, os.fdopen(service, "wb", buffering=0) as sending:
        monkeypatch.setattr(free_memory, "_SOON", 1)
        assert not free_memory.is_wanted_soon(waiting)
        monkeypatch.setattr(free_memory, "_SOON", 120_000)
        sending.write(b"{}\n")
        assert free_memory.is_wanted_soon(waiting)


def test_the_end_of_the_service_is_not_waited_for() -> None:
    requests, service = os.pipe()
    os.close(service)
    with os.fdopen(requests, "rb") as waiting:
        assert free_memory.is_wanted_soon(waiting)


@pytest.mark.parametrize("idles", [False, True])
def test_a_process_that_idles_holds_nothing_for_the_next_job(idles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = list[str]()
    requests, service = os.pipe()
    with os.fdopen(requests, "rb") as waiting, os.fdopen(service, "wb", buffering=0) as sending:

        def send() -> None:
            sending.write(b"{}\n")

        def forget() -> None:
            calls.append("forget")
            send()

        monkeypatch.setattr(worker, "give_back", lambda: calls.append("give back"))
        monkeypatch.setattr(worker, "IDLE", 1 if idles else 120_000)
        if not idles:
            send()
        assert worker._next(waiting, SimpleNamespace(forget=forget)) == b"{}\n"
    assert calls == (["forget", "give back"] if idles else [])


def test_what_an_idle_process_held_is_read_again(tmp_path: Path) -> None:
    original, reads = tmp_path / "original", list[str]()
    original.touch()

    def read() -> Decoded:
        reads.append("read")
        return [Frame(Image.new("L", (8, 8)))], Details()

    for _ in range(2):
        recalled(original, "a way", read)
        recalled(original, "a way", read)
        pipeline.forget()
    assert reads == ["read", "read"]


async def test_memory_that_a_transcoding_has_freed_goes_back_when_no_other_follows(begin: Begin) -> None:
    pool = await begin(processes=1, memory=1 << 30)
    pid = (await pool.run(job(), affinity="cat")).bytes
    before = kilobytes(pid, "Rss")
    await pool.run(job(free=96 << 20, transcodes=""), affinity="cat")
    assert pool.pids == [pid]
    await eventually(lambda: kilobytes(pid, "Rss") < before + (8 << 10))


@pytest.mark.parametrize(("answer", "is_kept"), [
    ({"result": {"transcoded": True}}, True),
    ({"result": {"transcoded": False}}, False),
    ({"error": "damaged", "detail": ""}, False),
])  # fmt: skip
def test_only_what_a_transcoding_has_freed_stays_for_the_next(
    answer: dict[str, object], is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = list[int]()
    monkeypatch.setattr(free_memory, "give_back_above", given_back.append)
    requests, service = os.pipe()
    with os.fdopen(requests, "rb") as waiting, os.fdopen(service, "wb", buffering=0) as sending:
        sending.write(b"{}\n")
        worker._tidy(waiting, answer)
    assert given_back == ([] if is_kept else [BOUND])


HOLDS_WHAT_IT_HAS_FREED = """
import ctypes, resource
from service.engine.memory import has_room
libc, blocks = ctypes.CDLL(None), (ctypes.c_void_p * 300)()
libc.malloc.argtypes, libc.malloc.restype, libc.free.argtypes = (ctypes.c_size_t,), ctypes.c_void_p, (ctypes.c_void_p,)
for number in range(300):
    blocks[number] = libc.malloc(1 << 20)
for number in range(300):
    libc.free(blocks[number])
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (32 << 20), used + (32 << 20)))
print(has_room(200 << 20), has_room(800 << 20))
"""


def test_what_earlier_images_have_freed_counts_as_room() -> None:
    bounds = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
    command = [sys.executable, "-c", HOLDS_WHAT_IT_HAS_FREED]
    told = subprocess.run(command, env={**os.environ, **bounds}, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "False"]


MAPS_LARGE_BLOCKS = """
import ctypes
from service.engine.memory import _libc, give_back, large_blocks_reused

_libc.malloc.restype = ctypes.c_void_p
_libc.malloc.argtypes, _libc.free.argtypes = (ctypes.c_size_t,), (ctypes.c_void_p,)

def is_mapped():
    before = _libc.mallinfo2().hblkhd
    block = _libc.malloc(64 << 20)
    print(_libc.mallinfo2().hblkhd > before)
    _libc.free(block)

is_mapped()
with large_blocks_reused():
    is_mapped()
give_back()
is_mapped()
"""


@pytest.mark.skipif(not memory._can_tell, reason="the C library does not tell")
def test_large_blocks_are_mapped_by_themselves_but_while_they_are_to_be_reused() -> None:
    command = [sys.executable, "-c", MAPS_LARGE_BLOCKS]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "False", "True"]
