"""What the end of a direct upload does when a part of it fails, in process, on a directory."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from service.engine.job import Header
from service.store.base import UNCONDITIONAL, Precondition, StoredObject
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.directory.urls import UrlSettings
from service.store.errors import Corrupt, IncomingFull
from service.store.incoming import IncomingContainer, Taken, new_name
from service.uploads.direct import DirectUploads
from service.uploads.errors import OtherBytes, UnknownUpload, UploadExpired
from service.uploads.incoming import Incoming
from service.uploads.upload_ids import Announced, write
from service.uploads.uploads import Stored

DATA = b"some bytes"
SHA256 = hashlib.sha256(DATA).hexdigest()
QUOTA = 25


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DirectoryStore]:
    urls = UrlSettings("http://127.0.0.1:1", (tmp_path,))
    settings = DirectorySettings(
        tmp_path / "root", tmp_path / "derived", urls=urls, incoming=tmp_path / "in", incoming_quota=QUOTA
    )
    store = DirectoryStore(settings)
    await store.start()
    yield store
    await store.close()


def name_of(size: int = len(DATA)) -> str:
    return new_name(int(time.time()) + 60, size)


class Storing:
    """In place of `Uploads`: stores whatever it is given. Before that, `meanwhile` is made of the incoming file."""

    def __init__(self, incoming: Path) -> None:
        self._incoming = incoming

    async def store(self, name: str, upload: Incoming, _asked: Precondition, copy_of: str, mark: str) -> Stored:
        incoming = self._incoming / mark
        incoming.unlink()
        (incoming / "what no unlink removes").mkdir(parents=True)
        header = Header("png", 1, 1)
        return Stored(StoredObject(name, upload.size, "etag", 0.0), header, upload.md5, upload.sha256, created=True)


def receiving(tmp_path: Path) -> Incoming:
    path = tmp_path / "upload"
    upload = Incoming(path, 1000, path.open("wb"))
    upload.also_hash(("md5", "sha256"))
    return upload


def direct(incoming: IncomingContainer, uploads: object = None) -> DirectUploads:
    return DirectUploads(incoming, uploads, None, 60.0, 1000)  # type: ignore[arg-type]  # the rest is not asked


async def test_an_upload_that_is_stored_is_so_though_what_was_sent_cannot_be_removed(
    store: DirectoryStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert store.incoming and store.incoming.landing
    name = name_of()
    async with store.incoming.landing.receiving(name, len(DATA)) as place:
        place.write_bytes(DATA)
    announced = Announced("cat.png", SHA256, name)
    with caplog.at_level("INFO"):
        stored = await direct(store.incoming, Storing(tmp_path / "in")).finish(
            announced, receiving(tmp_path), UNCONDITIONAL
        )
    assert (stored.created, stored.sha256) == (True, SHA256)
    assert "still in the incoming container, until it is swept" in caplog.text


async def test_room_is_free_again_when_a_client_leaves_while_it_sends(store: DirectoryStore) -> None:
    assert store.incoming and store.incoming.landing
    landing, there = store.incoming.landing, asyncio.Event()

    async def send() -> None:
        async with landing.receiving(name_of(20), 20) as place:
            place.write_bytes(DATA)
            there.set()
            await asyncio.Event().wait()

    sending = asyncio.create_task(send())
    await there.wait()
    with pytest.raises(IncomingFull):
        async with landing.receiving(name_of(), len(DATA)):
            pass
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    async with landing.receiving(name_of(20), 20) as place:
        place.write_bytes(DATA * 2)


class Misread:
    """An incoming container that gives other bytes than it holds, by its own MD5."""

    landing = None

    def __init__(self, read: bytes, held: bytes) -> None:
        self._read = read
        self._held = held

    async def take(self, _name: str, _size: int, target: Path) -> Taken:
        target.write_bytes(self._read)
        md5 = hashlib.md5(self._held, usedforsecurity=False).hexdigest()
        return Taken("", md5, hashlib.sha256(self._read).hexdigest())

    async def discard(self, names: Sequence[str]) -> None:
        pass


@pytest.mark.parametrize(("read", "held", "error"), [(b"damaged", DATA, Corrupt), (b"others", b"others", OtherBytes)])
async def test_bytes_that_were_read_wrongly_are_not_held_against_the_client(
    tmp_path: Path, read: bytes, held: bytes, error: type[Exception]
) -> None:
    incoming = Misread(read, held)
    announced = Announced("cat.png", SHA256, name_of())
    with pytest.raises(error):
        await direct(incoming).finish(announced, receiving(tmp_path), UNCONDITIONAL)  # type: ignore[arg-type]


async def test_a_finish_after_its_time_gets_the_first_answer_and_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = Announced("cat.png", SHA256, new_name(int(time.time()) - 60, len(DATA)))
    answers: list[object] = [None, SimpleNamespace(original=MagicMock(), outcome="created", md5="m", sha256=SHA256)]

    async def before(*_: object) -> object:
        return answers.pop(0)

    monkeypatch.setattr("service.uploads.direct.stored_before", before)
    uploads = direct(Keys())  # type: ignore[arg-type]  # nothing is asked of it
    with pytest.raises(UploadExpired):
        await uploads.finish(announced, receiving(tmp_path), UNCONDITIONAL)
    stored = await uploads.finish(announced, receiving(tmp_path), UNCONDITIONAL)
    assert (stored.repeated, stored.created, stored.sha256) == (True, True, SHA256)


class Keys:
    """An incoming container whose key another node has changed."""

    def __init__(self) -> None:
        self.read = 0

    async def keys(self, *, anew: bool = False) -> Sequence[str]:
        self.read += anew
        return ["new", "old"] if self.read else ["old"]


async def test_forged_ids_have_the_keys_read_anew_only_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.uploads.direct.AGAIN", 3600.0)
    keys = Keys()
    uploads = direct(keys)  # type: ignore[arg-type]  # nothing else is asked
    announced = Announced("cat.png", SHA256, name_of())
    assert await uploads.announced(write(announced, "old")) == announced
    assert keys.read == 0
    for _ in range(5):
        with pytest.raises(UnknownUpload):
            await uploads.announced(write(announced, "a guess"))
    assert keys.read == 1
    assert await uploads.announced(write(announced, "new")) == announced
