"""A deep zoom decodes an original once for each scale of the decoder, and not once for each tile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.engine import decode, pipeline, readers, recent
from service.engine.job import Job, Limits
from service.engine.jpeg import planes
from service.engine.recognise import recognise
from tests import images

WIDTH, HEIGHT, TILE = 3000, 2000, 512
LIMITS = Limits(10**8, 500, 4096, 4096)


def tiles() -> Iterator[dict[str, str]]:
    """The recipes of a pyramid, as viewers ask for it."""
    factor = 1
    while True:
        side = TILE * factor
        for y in range(0, HEIGHT, side):
            for x in range(0, WIDTH, side):
                width, height = min(side, WIDTH - x), min(side, HEIGHT - y)
                recipe = {"crop": f"{x}:{y}:{width}:{height}"} if side < WIDTH else {}
                if factor > 1:
                    recipe |= {"w": str(-(-width // factor)), "h": str(-(-height // factor)), "fit": "fill"}
                yield recipe
        if side >= WIDTH:
            return
        factor *= 2


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    recent._held.clear()
    yield
    recent._held.clear()


def make(source: Path, recipe: dict[str, str], format: str) -> bytes:
    output = source.with_suffix(".out")
    pipeline.derive(Job("derive", str(source), recognise(source), LIMITS, recipe, format, str(output)))
    return output.read_bytes()


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiles") / "photograph"
    path.write_bytes(images.jpeg(images.photo(WIDTH, HEIGHT), quality=90))
    return path


def test_all_tiles_of_a_jpeg_take_one_decode_for_each_scale(photograph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decodes: Counter[int] = Counter()
    read = planes.read

    def counted(data: bytes, size: tuple[int, int], n: int) -> planes.Planes | None:
        decodes[n] += 1
        return read(data, size, n)

    monkeypatch.setattr(planes, "read", counted)
    for recipe in tiles():
        make(photograph, recipe, "jpg")
    assert max(decodes.values()) == 1
    assert sum(decodes.values()) <= 4


def test_all_tiles_in_another_format_take_one_decode_for_each_scale(
    photograph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodes: Counter[int] = Counter()
    reader = readers.reader

    def counted(job: Job) -> readers.Reader:
        decodes[decode.scaling(job)] += 1
        return reader(job)

    monkeypatch.setattr(readers, "reader", counted)
    for recipe in tiles():
        if "crop" in recipe:
            make(photograph, recipe, "bmp")
    assert max(decodes.values()) == 1


@pytest.mark.parametrize(
    "recipe", [{"crop": "512:512:512:512"}, {"crop": "0:0:1024:1024", "w": "512", "h": "512", "fit": "fill"}]
)
def test_a_tile_has_the_same_bytes_whatever_is_held(photograph: Path, recipe: dict[str, str]) -> None:
    alone = make(photograph, recipe, "jpg")
    for other in ({"crop": "0:0:512:512"}, {"w": "300"}, {"crop": "1024:0:512:512"}):
        make(photograph, other, "jpg")
        assert make(photograph, recipe, "jpg") == alone


def test_a_job_that_cuts_nothing_out_lets_go_of_what_tiles_hold(photograph: Path) -> None:
    make(photograph, {"crop": "0:0:512:512"}, "bmp")
    assert held() > recent.MOST
    make(photograph, {"w": "300"}, "bmp")
    assert held() <= recent.MOST


def test_where_memory_is_scarce_nothing_more_is_held_for_tiles(
    photograph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "has_room", lambda _: False)
    make(photograph, {"crop": "0:0:512:512"}, "bmp")
    assert held() <= recent.MOST


def held() -> int:
    return sum(map(recent._bytes, recent._held.values()))
