"""The tables of photographs: as many bytes as the standard's, at a higher score; what is drawn keeps the standard's."""

import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from service.engine.jpeg import planes
from service.engine.jpeg.quantisation import tables
from tests import images
from tests.engine import drawings
from tests.engine.deriving import derive
from tests.engine.sheets import ssimulacra2

SIZE = (400, 300)


def by_the_standard(picture: Image.Image, quality: int) -> bytes:
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=quality, subsampling="4:2:0", optimize=True)
    return output.getvalue()


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def divisors(data: bytes) -> list[list[int]]:
    with Image.open(io.BytesIO(data)) as image:
        return list(image.quantization.values())  # type: ignore[attr-defined]


@pytest.mark.parametrize("quality", range(1, 101))
def test_a_table_has_64_divisors_of_a_byte(quality: int) -> None:
    for table in tables(quality):
        assert len(table) == 64
        assert 1 <= min(table) <= max(table) <= 255


def test_a_higher_quality_divides_by_no_more() -> None:
    for lower, higher in pairwise(map(tables, range(1, 101))):
        for one, other in zip(lower, higher, strict=True):
            assert all(a >= b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("quality", [50, 65, 80, 89])
def test_a_photograph_has_about_as_many_bytes_as_by_the_standard_and_a_higher_score(quality: int) -> None:
    original = images.jpeg(images.photo(2 * SIZE[0], 2 * SIZE[1]), quality=95)
    made = derive(original, f"w={SIZE[0]},q={quality}", "jpg").data
    assert divisors(made) == [list(table) for table in tables(quality)]
    scaled = derive(original, f"w={SIZE[0]}", "png").pillow().convert("RGB")
    usual = by_the_standard(scaled, quality)
    assert len(made) < 1.03 * len(usual)
    assert ssimulacra2(scaled, shown(made)) > ssimulacra2(scaled, shown(usual))


@pytest.mark.parametrize("recipe", ["w=400", "w=400,gray=1", "q=70"])
def test_a_drawing_keeps_the_tables_of_the_standard(recipe: str) -> None:
    drawn = images.jpeg(np.asarray(drawings.page(drawings.BLACK, drawings.WHITE)), quality=92)
    made = derive(drawn, recipe, "jpg", quality=80)
    quality = 70 if "q=" in recipe else 80
    assert divisors(made.data)[0] == divisors(by_the_standard(made.pillow(), quality))[0]


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (2, 1), (1, 1)])
def test_samples_of_chroma_are_those_that_were_given(size: tuple[int, int]) -> None:
    luma, chroma = planes.plane_sizes(size)
    random = np.random.default_rng(1)
    given = [np.full(chroma[::-1], value, np.uint8) for value in (90, 170)]
    given[0][: chroma[1] // 2] = 200
    y = random.integers(0, 256, luma[::-1], np.uint8)
    made = planes.write(tuple(map(Image.fromarray, (y, *given))), size, 100, 0)  # type: ignore[arg-type]
    found = planes.read(made, size, 8)
    assert found is not None
    for plane, wanted in zip(found[1:], given, strict=True):
        assert plane.size == chroma
        assert np.abs(np.asarray(plane).astype(int) - wanted).max() <= 2


def test_that_libjpeg_gives_up_is_want_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("broken data stream when writing image file")

    monkeypatch.setattr(Image.Image, "save", fail)
    gray = Image.new("L", (2, 2)), Image.new("L", (1, 1)), Image.new("L", (1, 1))
    with pytest.raises(MemoryError):
        planes.write(gray, (2, 2), 80, 0)


@pytest.mark.parametrize("quality", [50, 89])
def test_noise_in_a_few_lines_has_room(quality: int) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (4, 40_000), np.uint8)
    chroma = noise[:2, :20_000]
    three = (Image.fromarray(noise), Image.fromarray(chroma), Image.fromarray(chroma))
    assert shown(planes.write(three, (40_000, 3), quality, 0)).size == (40_000, 3)
