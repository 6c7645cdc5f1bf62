"""Files that lack pixels, hold wrong ones or are of a kind that is not read, are refused with that reason."""

from __future__ import annotations

import zlib

import pytest

from service.engine.job import EngineError
from tests.engine.deriving import derive, verify
from tests.gateways import Gateway
from tests.pictures import animations, bmps, flaws
from tests.pictures.files import Refusal

REFUSED: list[Refusal] = [*flaws.REFUSED, *bmps.REFUSED, *animations.REFUSED]


@pytest.mark.parametrize("refusal", REFUSED, ids=str)
def test_a_file_is_refused_with_its_reason(refusal: Refusal) -> None:
    data = refusal.make()
    for use in (lambda: verify(data), lambda: derive(data, "w=20", "png"), lambda: derive(data, "w=20", "webp")):
        with pytest.raises(EngineError, match=refusal.reason):
            use()


def test_what_is_packed_beyond_the_pixels_is_not_unpacked() -> None:
    """A full copy has its pixels alone, whatever follows them in the stream."""
    data = flaws.png(stream=lambda packed: zlib.compress(zlib.decompress(packed) + bytes(30_000_000)))
    full = derive(data, "", "png")
    assert full.result.flaws == ("more is packed than its pixels",)
    assert len(full.data) < 400
    assert full.pixels()[5, 5].tolist() == list(flaws.COLOUR)


def test_flaws_are_told_in_the_log(gateway: Gateway) -> None:
    data = flaws.jpeg()[:-2]
    assert gateway.upload("cut/here.jpg", data).json()["metadata"]["flaws"] == ["the end marker is missing"]
    assert "cut/here.jpg has flaws, and all of its pixels: the end marker is missing" in gateway.log
    full = gateway.public.get("/images/cut/here.jpg/@full.jpg")
    assert full.content.endswith(b"\xff\xd9")
