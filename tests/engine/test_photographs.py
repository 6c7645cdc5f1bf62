"""The photographs that `bench/run smart` judges by: their data file, and the score of a crop."""

from __future__ import annotations

import re

import pytest
from PIL import Image, ImageDraw

from bench import smart

PHOTOGRAPHS = smart.read(smart.DATA)


def test_there_are_at_least_forty_each_of_them_once() -> None:
    assert len(PHOTOGRAPHS) >= 40
    assert len({photograph.sha256 for photograph in PHOTOGRAPHS}) == len(PHOTOGRAPHS)
    assert len({(photograph.package, photograph.path) for photograph in PHOTOGRAPHS}) == len(PHOTOGRAPHS)


def test_every_subject_lies_within_its_picture() -> None:
    for photograph in PHOTOGRAPHS:
        left, top, right, bottom = photograph.subject
        width, height = photograph.size
        assert 0 <= left < right <= width, photograph
        assert 0 <= top < bottom <= height, photograph


def test_every_photograph_is_named_so_that_it_can_be_fetched_and_checked() -> None:
    for photograph in PHOTOGRAPHS:
        assert photograph.registry in ("pypi", "npm")
        assert re.fullmatch(r"\d+(\.\d+)+", photograph.version), photograph
        assert re.fullmatch(r"[0-9a-f]{64}", photograph.sha256), photograph
        assert not photograph.path.startswith("/")


def test_a_third_of_them_is_held_out() -> None:
    held_out = sum(photograph.held_out for photograph in PHOTOGRAPHS)
    assert held_out == len(PHOTOGRAPHS) // 3


def test_the_score_is_the_part_of_the_subject_that_a_crop_keeps() -> None:
    picture = Image.new("RGB", (300, 100), "gray")
    ImageDraw.Draw(picture).rectangle((220, 30, 259, 69), fill="red")
    found = smart.shares(picture, (180, 30, 260, 70))
    assert found[1, 1]["centre"] == pytest.approx(20 / 80)  # it keeps 100 to 200 of 180 to 260
    assert found[16, 9]["centre"] == pytest.approx((150 + 100 * 16 / 9 / 2 - 180) / 80)
    assert smart.shares(picture, (220, 30, 260, 70))[1, 1]["smart"] == 1


def test_the_picture_s_own_shape_is_left_out() -> None:
    assert set(smart.shares(Image.new("RGB", (160, 90)), (10, 10, 20, 20))) == {(1, 1), (9, 16)}
