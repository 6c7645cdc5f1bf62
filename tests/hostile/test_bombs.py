"""Small files that demand much work are refused quickly, and do not affect other requests."""

from __future__ import annotations

import time

import pytest

from tests import images
from tests.gateways import Gateway
from tests.hostile.bombs import BOMBS, TAKEN, Bomb, jpeg_scans, tiff_second_page
from tests.hostile.watch import plant, unharmed

pytestmark = pytest.mark.slow

PATIENCE = 60.0  # seconds for an answer: the limit of one image there
TIMED_OUT = 504
DERIVED = "@w=64,h=64,fit=cover.png"


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_is_refused_at_the_door_and_in_the_house(patient: Gateway, bomb: Bomb) -> None:
    data, began = bomb.data, time.monotonic()
    with unharmed(patient):
        uploaded = patient.upload(f"up/{bomb.name}", data)
        assert uploaded.status_code in bomb.answers, uploaded.text
        plant(patient, f"in/{bomb.name}", data)
        derived = patient.public.get(f"/images/in/{bomb.name}/{DERIVED}")
        allowed = {200 if status == TAKEN else status for status in bomb.answers}
        assert derived.status_code in allowed, derived.text
        for answer in (uploaded, derived):
            assert answer.is_success or answer.headers["Content-Type"] == "application/problem+json"
        assert time.monotonic() - began < 2 * PATIENCE


def test_one_that_takes_longer_than_it_may_costs_its_own_request_alone(gateway: Gateway) -> None:
    (bomb,) = (bomb for bomb in BOMBS if bomb.name == "webp-5-large-frames")
    with unharmed(gateway, deaths=1):
        uploaded = gateway.upload(f"up/{bomb.name}", bomb.data)
        assert uploaded.status_code in (TIMED_OUT, *bomb.answers), uploaded.text


def test_what_takes_too_long_twice_is_not_tried_a_third_time(gateway: Gateway) -> None:
    with unharmed(gateway, deaths=2):
        plant(gateway, "slow.jpg", jpeg_scans(9000))
        statuses = [gateway.public.get("/images/slow.jpg/@w=10.jpg").status_code for _ in range(3)]
        assert statuses == [504, 504, 504]


def test_what_takes_too_long_in_one_way_is_made_in_others(gateway: Gateway) -> None:
    with unharmed(gateway, deaths=2):
        plant(gateway, "well.jpg", images.jpeg(images.photo(2000, 1500)))
        slow = "/images/well.jpg/@w=4096,up=1,blur=50.png"
        assert [gateway.public.get(slow).status_code for _ in range(3)] == [504, 504, 504]
        for leaf in ("@w=40.jpg", "@full.jpg", "@w=40,blur=50.png"):
            assert gateway.public.get(f"/images/well.jpg/{leaf}").status_code == 200


@pytest.mark.parametrize(
    "recipe", ["w=4096,h=4096,up=1,fit=liquid", "w=4096,up=1,blur=50", "w=4096,up=1,rot=45,blur=50"]
)
def test_a_costly_recipe_costs_its_own_request_alone(gateway: Gateway, recipe: str) -> None:
    with unharmed(gateway, deaths=1):
        derived = gateway.public.get(f"/images/good.jpg/@{recipe}.png")
        assert derived.status_code in (200, 413, 422, 504), derived.text


def test_a_large_page_behind_a_small_one_is_no_way_in(gateway: Gateway) -> None:
    with unharmed(gateway):
        plant(gateway, "pages.tif", tiff_second_page())
        assert gateway.public.get("/images/pages.tif/@w=8,frame=1.png").status_code in (413, 422)
        assert gateway.public.get("/images/pages.tif/@w=8.png").status_code == 200
