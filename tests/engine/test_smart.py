"""`g=smart` against libvips' two ways to choose a crop, on scenes whose subject is known (tests/scenes.py).

How much of the subject a crop leaves is the score: 1 where all of it is kept. The constants of `steps/smart.py` were
chosen on other variations of these scenes.
"""

from statistics import fmean
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.engine import geometry
from service.engine.geometry import Box
from service.engine.steps import smart
from tests import images
from tests.engine.crops import Crop, libvips, ours
from tests.engine.deriving import derive
from tests.scenes import kept, scenes

SHAPES = ((1, 1), (2, 3), (3, 2), (3, 1))
BAR, BAR_OF_A_KIND = 0.97, 0.94


def scores(crop: Crop) -> dict[str, list[float]]:
    """By kind of scene, the part of the subject that is kept, of every scene in every shape but its own."""
    found: dict[str, list[float]] = {}
    for scene in scenes():
        for shape in SHAPES:
            if shape[0] * scene.picture.height != shape[1] * scene.picture.width:
                found.setdefault(scene.kind, []).append(kept(scene.subject, crop(scene.picture, shape)))
    return found


def overall(crop: Crop) -> float:
    return fmean(score for of_kind in scores(crop).values() for score in of_kind)


def test_subjects_of_every_kind_are_kept() -> None:
    found = {kind: fmean(of_kind) for kind, of_kind in scores(ours).items()}
    assert len(found) == 7
    assert min(found.values()) > BAR_OF_A_KIND, found


@pytest.mark.parametrize("interesting", ["attention", "entropy"])
def test_more_of_them_is_kept_than_by_libvips(interesting: str) -> None:
    assert overall(ours) > max(BAR, overall(libvips(interesting)))


def test_a_request_gives_the_crop_that_was_chosen() -> None:
    scene = next(scene for scene in scenes(2) if scene.kind == "ball" and scene.picture.width > scene.picture.height)
    made = derive(images.png(np.asarray(scene.picture)), "w=320,h=320,fit=cover,g=smart", "png").pixels()
    left, top, right, bottom = (round(edge) for edge in ours(scene.picture, (1, 1)))
    expected = scene.picture.crop((left, top, right, bottom))
    assert np.abs(made - np.asarray(expected)).mean() < 1


def test_what_is_transparent_is_not_worth_seeing_whatever_its_colour() -> None:
    picture = images.flat(300, 100, (120, 120, 120, 255))
    picture[:, :100] = np.dstack([images.photo(100, 100), np.zeros((100, 100), np.uint8)])
    picture[40:70, 240:270, :3] = (250, 200, 20)
    left, _, right, _ = ours(Image.fromarray(picture), (1, 1))
    assert (left < 240, right > 270) == (True, True)


LIES = {"ball": "w=120,h=120,fit=cover", "product": "crop=100:100,w=60", "portrait": "crop=50p:50p,w=90,h=60,fit=cover"}
"""Kinds of scenes, and a part of each."""


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("stored", ["jpg", "webp"])
@pytest.mark.parametrize("kind", LIES)
def test_luma_and_chroma_show_the_part_that_rgb_does(
    kind: str, stored: str, orientation: int, written: list[tuple[int, int]]
) -> None:
    picture = np.asarray(next(scene.picture for scene in scenes(2) if scene.kind == kind))
    container = {"jpg": "JPEG", "webp": "WEBP"}[stored]
    data = images.oriented(orientation, container, picture, quality=95)
    by_planes = derive(data, f"{LIES[kind]},g=smart,q=89", "jpg")
    assert written == [by_planes.pillow().size]
    by_rgb, middle = (derive(data, f"{LIES[kind]},g={place}", "png").pixels() for place in ("smart", "center"))
    apart, elsewhere = (np.abs(by_planes.pixels() - other).mean() for other in (by_rgb, middle))
    assert apart < min(5, elsewhere / 2)


def test_of_subjects_in_photographs_as_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG's chroma has half the size, and its planes are scaled each by itself."""
    find, found, shares = smart.middle, [], []

    def middle(*asked: Any) -> smart.Share:
        found.append(find(*asked))
        return found[-1]

    monkeypatch.setattr(smart, "middle", middle)
    for scene in scenes(2):
        data = images.jpeg(np.asarray(scene.picture), quality=92)
        derive(data, "w=120,h=120,fit=cover,g=smart", "jpg")
        whole = Box(0, 0, *scene.picture.size)
        shares.append(kept(scene.subject, geometry.covering(whole, (1, 1), found[-1]).edges))
    assert fmean(shares) > BAR
