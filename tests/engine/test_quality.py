"""`q=auto` and `mb`: a quality found by what comes out."""

import numpy as np
import pytest
from PIL import Image

from service.engine import quality, writers
from service.engine.job import Job, Unsatisfiable
from service.engine.magick.writing import Settings
from service.engine.picture import Picture
from tests import images, jxls
from tests.engine.deriving import derive


@pytest.mark.parametrize("kind", ["jpg", "webp", "avif", "jxl"])
def test_mb_gives_the_highest_quality_that_fits(kind: str) -> None:
    """With one more it does not fit; more quality does not always take more bytes."""
    made = {value: derive(images.png(), f"w=80,q={value}", kind).data for value in range(30, 81)}
    most = len(made[52])
    fitting = derive(images.png(), f"w=80,mb={most}", kind).data
    assert len(fitting) <= most
    chosen = max(value for value, data in made.items() if data == fitting)
    assert len(made[chosen + 1]) > most


def test_mb_below_the_lowest_quality_cannot_be_had() -> None:
    with pytest.raises(Unsatisfiable, match="mb=100"):
        derive(images.png(), "mb=100", "jpg")


@pytest.mark.parametrize("kind", ["jpg", "webp", "avif", "jxl"])
def test_auto_keeps_the_score_with_few_bytes(kind: str) -> None:
    data = images.png()
    plain = Image.fromarray(np.asarray(derive(data, "w=200", "tif").pillow()))
    made = derive(data, "w=200,q=auto", kind)
    assert quality.score(plain, made.pillow()) >= quality.TARGET
    assert made.result.bytes < derive(data, "w=200,q=95", kind).result.bytes


@pytest.mark.parametrize("kind", ["jpg", "webp", "avif", "jxl"])
def test_auto_encodes_five_times_at_most(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded, choose = list[int](), writers.writer

    def counted(picture: Picture, settings: Settings, job: Job) -> writers.Writer:
        encoded.append(settings.quality)
        return choose(picture, settings, job)

    monkeypatch.setattr(writers, "writer", counted)
    derive(images.png(), "w=90,q=auto", kind)
    assert 1 < len(encoded) <= 5


@pytest.mark.parametrize(("kind", "last"), [("webp", 1), ("avif", 2), ("jxl", 2)])
def test_auto_looks_at_the_frame_with_the_most_detail(kind: str, last: int) -> None:
    """Others that are empty, as where a film fades in, count for nothing. WebP's encoder makes one of the first two."""
    black = np.zeros((72, 96, 3), np.uint8)
    film = jxls.animated([black, black, images.photo(96, 72)])
    made = derive(film, "q=auto", kind)
    before, shown = derive(film, "frame=2", "tif").pillow(), derive(made.data, f"frame={last}", "tif").pillow()
    assert quality.score(before, shown) >= quality.TARGET
    assert made.result.bytes < derive(film, "q=100", kind).result.bytes


@pytest.mark.parametrize("first", [True, False])
def test_auto_finds_the_frame_it_judges_where_no_frame_has_a_delay(first: bool) -> None:
    """As in many a GIF. WebP's encoder makes one of the dark ones, so no number tells the frame, nor does its time."""
    y, x, _ = np.indices((120, 160, 3))
    smooth = (127 + 100 * np.sin(x / 6) * np.cos(y / 7)).astype(np.uint8)
    dark = [np.full_like(smooth, 20) for _ in range(4)]
    for number, frame in enumerate(dark):
        frame[5, 5] += number  # or the original has one of them, too
    frames = [smooth, *dark] if first else [*dark[:2], smooth, *dark[2:]]
    made, timed = (derive(images.animation(frames, "PNG", duration=delay), "q=auto", "webp") for delay in (0, 100))
    assert made.pillow().n_frames < len(frames)  # type: ignore[attr-defined]
    assert made.result.bytes == timed.result.bytes


def test_auto_spends_less_on_what_is_easy() -> None:
    smooth = images.photo(200, 150, seed=1) * 0 + np.linspace(40, 200, 200).astype(np.uint8)[None, :, None]
    easy = derive(images.png(smooth.astype(np.uint8)), "q=auto", "jpg")
    assert easy.data == derive(images.png(smooth.astype(np.uint8)), f"q={quality.LADDER[0]}", "jpg").data


def test_auto_means_nothing_to_a_format_without_quality() -> None:
    assert derive(images.png(), "w=50,q=auto", "tif").data == derive(images.png(), "w=50", "tif").data


def test_the_score_is_one_for_equals_and_falls_with_damage() -> None:
    photo = Image.fromarray(images.photo())
    blurred = photo.resize((160, 120)).resize((320, 240))
    worse = photo.resize((40, 30)).resize((320, 240))
    assert quality.score(photo, photo) == pytest.approx(1)
    assert 1 > quality.score(photo, blurred) > quality.score(photo, worse)
