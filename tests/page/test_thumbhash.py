"""The page's ThumbHash decoder, against the format's own definition and the pixels of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from tests import images
from tests.gateways import Gateway
from tests.page.conftest import Sheet

DECODE = """async (text) => {
  const { decode } = await import("/page/thumbhash.js");
  const { width, height, pixels } = decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  return [width, height, [...pixels]];
}"""


def test_a_placeholder_has_the_colours_of_its_picture(sheet: Sheet, bench: Gateway) -> None:
    drawn = images.photo(320, 240)
    assert bench.upload("hashed/photo.png", images.png(drawn)).status_code == 201
    known = bench.api.get("/images/hashed/photo.png?meta=true").json()["placeholder"]
    page = sheet.open()
    expect(page.get_by_role("grid")).to_be_visible()
    width, height, flat = page.evaluate(DECODE, known)
    assert (width, height) == (32, pytest.approx(24, abs=1))
    decoded = np.array(flat).reshape(height, width, 4)
    assert decoded[..., 3].min() > 250
    for rows, part in ((slice(0, height // 3), drawn[:80]), (slice(-height // 3, None), drawn[-80:])):
        assert decoded[rows, :, :3].mean(axis=(0, 1)) == pytest.approx(part.mean(axis=(0, 1)), abs=25)
