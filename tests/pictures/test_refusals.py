"""Files that lack pixels, hold wrong ones or are of a kind that is not read, are refused with that reason."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from service.engine.job import EngineError, Header, Undecodable
from service.engine.tiff import reading
from tests import images
from tests.engine.deriving import derive, verify
from tests.engine.movies import Box, changed
from tests.gateways import Gateway
from tests.pictures import animations, bmps, flaws, tiff_flaws, tiffs
from tests.pictures.files import Refusal
from tests.pictures.tiff_writer import Page

REFUSED: list[Refusal] = [*flaws.REFUSED, *bmps.REFUSED, *animations.REFUSED]


@pytest.mark.parametrize("refusal", REFUSED, ids=str)
def test_a_file_is_refused_with_its_reason(refusal: Refusal) -> None:
    data = refusal.make()
    for use in (lambda: verify(data), lambda: derive(data, "w=20", "png"), lambda: derive(data, "w=20", "webp")):
        with pytest.raises(EngineError, match=refusal.reason):
            use()


def test_libtiff_does_not_show_planes_that_begin_elsewhere(tmp_path: Path) -> None:
    """It would take strips of 7 rows for planes, where the tag of their rows is wrong."""
    file = tmp_path / "rows.tif"
    file.write_bytes(tiff_flaws.other_rows(Page(tiffs.flat(*tiffs.COLOUR), planar=True), 2**31 + 1))
    with pytest.raises(Undecodable, match="it has 12 strips or tiles, and its size needs 3"):
        reading.second(file, Header("tif", *tiffs.SIZE), range(1), 8, False)


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


def test_a_copy_that_could_not_be_made_is_told_in_the_log_with_its_reason(gateway: Gateway) -> None:
    def cut(whole: Box) -> None:
        aperture = Box(b"clap", struct.pack(">8i", 32, 1, 24, 1, 0, 1, 0, 1))
        whole.find("moov/trak/mdia/minf/stbl/stsd/av01").parts.append(aperture)

    moving = images.animation(images.moving(64, 48, 3), "AVIF", duration=70, speed=9)
    for name, data in (("whole", moving), ("cut", changed(moving, cut))):
        gateway.upload(f"copies/{name}.avif", data).raise_for_status()
        assert gateway.public.get(f"/images/copies/{name}.avif/@full.avif").status_code == 200
    told = "was encoded once more, since it could not be copied: a copy would hold what is cut off"
    assert f"copies/cut.avif/@full.avif {told}" in gateway.log
    assert "copies/whole.avif/@full.avif was" not in gateway.log
