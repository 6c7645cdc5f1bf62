"""A pool of engine processes, what strips metadata, originals that tell where they come from, results of planes."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from service.engine import rescale
from service.engine.jpeg.planes import Planes
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.recognise import recognise
from service.engine.strip import strip
from tests.engine.pools import Begin
from tests.engine.provenances import ORIGINALS, Stated
from tests.metadata import write_secrets


@pytest.fixture(autouse=True)
def pixels_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an engine process lets Pillow open is set for each job, and in a process of tests forgotten after each."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    """Starts a pool of misbehaving processes, with some settings changed."""
    (tmp_path / "policy.xml").touch()
    started: list[EnginePool] = []
    settings = EngineSettings(
        processes=2,
        memory=256 << 20,
        recycle=1000,
        time=60,
        queue=16,
        config_dir=tmp_path,
        readable=(tmp_path,),
        writable=(tmp_path,),
        module="tests.engine.faults",
    )

    async def start(**changes: object) -> EnginePool:
        pool = EnginePool(replace(settings, **changes))  # type: ignore[arg-type]
        started.append(pool)
        await pool.start()
        return pool

    yield start
    for pool in started:
        await pool.close()


@pytest.fixture
def stripped(tmp_path: Path) -> Callable[..., bytes]:
    """Returns a file's bytes without its metadata."""
    source, target = tmp_path / "source", tmp_path / "target"

    def of(data: bytes, *, keep_icc: bool = True) -> bytes:
        source.write_bytes(data)
        assert strip(source, target, recognise(source), keep_icc)
        return target.read_bytes()

    return of


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all originals, the secret in every field."""
    folder = tmp_path_factory.mktemp("sealed")
    for word, data in ORIGINALS.items():
        (folder / f"original.{word}").write_bytes(data)
    write_secrets(*folder.iterdir())
    return folder


@pytest.fixture(scope="session")
def stating(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple[str, ...]], bytes]:
    """Has exiftool write such an original, each once."""

    @functools.cache
    def write(word: str, fields: tuple[str, ...]) -> bytes:
        path = tmp_path_factory.mktemp("stated") / f"original.{word}"
        path.write_bytes((sealed / path.name).read_bytes())
        command = ["exiftool", "-q", "-q", "-m", "-overwrite_original", *(f"-{field}" for field in fields), str(path)]
        subprocess.run(command, check=True, timeout=120)
        return path.read_bytes()

    return write


@pytest.fixture
def stated(stating: Callable[[str, tuple[str, ...]], bytes], tmp_path: Path) -> Stated:
    """An original with these fields, `GROUP:TAG=VALUE`, and the secret in all others."""

    def written(word: str, *fields: str) -> Path:
        path = tmp_path / f"original.{word}"
        path.write_bytes(stating(word, fields))
        return path

    return written


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of what was written by planes."""
    sizes: list[tuple[int, int]] = []

    def count(table: dict[str, rescale.Writer], kind: str, write: rescale.Writer) -> None:
        def counted(made: Planes, size: tuple[int, int], quality: int, effort: int) -> bytes:
            if data := write(made, size, quality, effort):
                sizes.append(size)
            return data

        monkeypatch.setitem(table, kind, counted)

    for table in (rescale._WRITERS, rescale._REWRITERS):
        for kind, write in list(table.items()):
            count(table, kind, write)
    return sizes
