"""Small files that ask for a great deal get a quick refusal, and cost nobody else anything."""

from __future__ import annotations

import time

import pytest

from tests.gateways import Gateway
from tests.hostile.bombs import BOMBS, TAKEN, Bomb
from tests.hostile.watch import plant, unharmed

PATIENCE = 10.0  # seconds for an answer: the limit of one image is 3 s here
DERIVED = "@w=64,h=64,fit=cover.png"


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_is_refused_at_the_door_and_in_the_house(gateway: Gateway, bomb: Bomb) -> None:
    data, began = bomb.data, time.monotonic()
    with unharmed(gateway, deaths=bomb.deaths):
        uploaded = gateway.upload(f"up/{bomb.name}", data)
        assert uploaded.status_code in bomb.answers, uploaded.text
        plant(gateway, f"in/{bomb.name}", data)
        derived = gateway.public.get(f"/images/in/{bomb.name}/{DERIVED}")
        allowed = {200 if status == TAKEN else status for status in bomb.answers}
        assert derived.status_code in allowed, derived.text
        for answer in (uploaded, derived):
            assert answer.is_success or answer.headers["Content-Type"] == "application/problem+json"
    print(bomb.name, len(data), uploaded.status_code, derived.status_code, round(time.monotonic() - began, 2))
