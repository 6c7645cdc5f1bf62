"""Damaged images are told as damaged: at the door, and when one came into the store past it."""

from __future__ import annotations

import pytest

from tests.gateways import Gateway
from tests.hostile.damage import corruptions, truncations, whole
from tests.hostile.watch import plant, unharmed

CORRUPTIONS = 110  # of each file


@pytest.mark.parametrize("name", whole())
def test_a_truncated_image_is_refused_wherever_it_was_cut(gateway: Gateway, name: str) -> None:
    data = whole()[name]
    with unharmed(gateway):
        assert gateway.upload(f"whole/{name}", data).status_code == 201
        for part, cut in enumerate(truncations(data)):
            uploaded = gateway.upload(f"cut/{part}/{name}", cut)
            assert uploaded.status_code in (415, 422), (part, uploaded.text)
            plant(gateway, f"planted/{part}/{name}", cut)
            for leaf in ("@full.png", "@w=8.jpg", "@meta.json"):
                derived = gateway.api.get(f"/images/planted/{part}/{name}/{leaf}")
                assert derived.status_code in (415, 422), (part, leaf, derived.text)
                assert derived.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", whole())
def test_no_single_byte_brings_anything_down(gateway: Gateway, name: str) -> None:
    path = f"corrupt/{name}"
    with unharmed(gateway):
        for number, changed in enumerate(corruptions(whole()[name], CORRUPTIONS, name)):
            uploaded = gateway.upload(path, changed, replace="true")
            assert uploaded.status_code in (201, 413, 415, 422), (number, uploaded.text)
            if uploaded.status_code == 201 and number % 4 == 0:
                derived = gateway.api.get(f"/images/{path}/@w=8,h=8.png")
                assert derived.status_code in (200, 413, 422), (number, derived.text)
                assert derived.status_code != 200 or derived.content.startswith(b"\x89PNG")
