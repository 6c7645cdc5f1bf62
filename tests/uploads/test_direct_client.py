"""The client and the command send files straight to the store, and the token to the gateway alone."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from service.api.schema.models import DirectUpload
from service.client import Conflict, calls, uploading
from service.client import Gateway as GatewayClient
from service.client.local_files import LocalFile
from tests.uploads.hooks import moderating
from tests.uploads.subjects import CAT, DOG, Subject


def test_the_client_sends_straight_to_the_store(subject: Subject, tmp_path: Path) -> None:
    file = tmp_path / "cat.jpg"
    file.write_bytes(CAT)
    with GatewayClient(str(subject.api.base_url)) as gateway:
        stored = gateway.upload_direct("client/cat.jpg", file)
        assert (stored.name, stored.sha256) == ("client/cat.jpg", hashlib.sha256(CAT).hexdigest())
        with pytest.raises(Conflict):
            gateway.upload_direct("client/cat.jpg", file)
        file.write_bytes(DOG)
        assert gateway.upload_direct("client/cat.jpg", file, replace=True).created is False
    assert subject.original("client/cat.jpg").content == DOG


@pytest.mark.parametrize("direct", [True, False])
def test_the_command_sends_large_files_straight_to_the_store_with_progress(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    monkeypatch.setattr(uploading, "DIRECT_FROM", len(CAT))
    before = subject.count("begun"), subject.count("finished")
    for name, data in (("large.jpg", CAT), ("small.png", DOG)):
        (tmp_path / name).write_bytes(data)
    files = [LocalFile(tmp_path / name, f"command-{direct}/{name}", size) for name, size in sizes(tmp_path)]
    reported: list[int] = []
    work = uploading.Uploading(str(subject.api.base_url), None, replace=False, report=reported.append, direct=direct)
    asyncio.run(work.run(files, 2))
    assert (sorted(work.stored), work.failed) == (sorted(file.name for file in files), [])
    assert sum(reported) == sum(file.bytes for file in files)
    assert (subject.count("begun"), subject.count("finished")) == (before[0] + direct, before[1] + direct)
    assert subject.original(f"command-{direct}/large.jpg").content == CAT


def sizes(folder: Path) -> list[tuple[str, int]]:
    return [(path.name, path.stat().st_size) for path in sorted(folder.iterdir())]


def test_the_token_stays_with_the_gateway() -> None:
    with moderating() as other, GatewayClient("http://127.0.0.1:1", "a secret") as gateway:
        upload = DirectUpload(
            id="x", method="POST", url=other.url, headers={"X-Delete-At": "5"}, expires=5, finish="/uploads/x"
        )
        gateway.call(calls.send(upload, CAT))
        headers, body = other.posted[0]
    assert (body, headers["x-delete-at"]) == (CAT, "5")
    assert "authorization" not in headers
