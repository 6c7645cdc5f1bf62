"""Files that fuzzing found: odd or damaged ones whose copy has to show the same pixels, or is refused."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from service.engine.job import TooLarge, Undecodable
from service.engine.recognise import recognise
from service.engine.strip import strip
from tests import images
from tests.engine.deriving import derive
from tests.engine.free_bytes import avifs
from tests.pictures.animations import SEQUENCES, apng, gif


def shown(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA").tobytes()


def far_apart(count: int) -> bytes:
    """A gray JPEG whose blocks are by turns as dark and as bright as a code can say: DC is -2047 and 2047, each coded
    after a restart. From one to the next it is 4094, for which the standard's tables have no code (T.81, table K.3)."""
    head = images.jpeg_gray(8 * count, 8, restart_marker_blocks=1)
    scan = head.index(b"\xff\xda") + 10
    # A difference of category 11 has the code 1_1111_1110, then eleven bits; the end of the block is 1010.
    extremes = ("111111110" + "0" * 11 + "1010", "111111110" + "1" * 11 + "1010")
    blocks = [_stuffed(extremes[number % 2]) for number in range(count)]
    restarts = [bytes((0xFF, 0xD0 + number % 8)) for number in range(count - 1)] + [b"\xff\xd9"]
    return head[:scan] + b"".join(block + restart for block, restart in zip(blocks, restarts, strict=True))


def _stuffed(bits: str) -> bytes:
    padded = bits.ljust(-(-len(bits) // 8) * 8, "1")
    return int(padded, 2).to_bytes(len(padded) // 8).replace(b"\xff", b"\xff\0")


def large(value: int) -> bytes:
    """A gray JPEG of one block, with a coefficient of twelve bits by a table of its own: 00 ends a block, 01 is a
    coefficient. The standard's table ends at ten bits."""
    head = images.jpeg_gray(8, 8)
    table = b"\xff\xc4\0\x15\x10" + bytes((0, 2, *[0] * 14)) + b"\x00\x0c"
    at = head.index(b"\xff\xda")
    coded = value if value > 0 else value + 4095
    return head[:at] + table + head[at : at + 10] + _stuffed(f"0001{coded:012b}00") + b"\xff\xd9"


@pytest.mark.parametrize("data", [far_apart(12), large(2048), large(-3000)], ids=["DC", "AC", "negative"])
def test_a_jpeg_with_coefficients_that_the_standards_tables_cannot_say_keeps_its_pixels(data: bytes) -> None:
    made = derive(data, "", "jpg").data
    assert shown(made) == shown(data)
    assert b"\xff\xc2" in made  # progressive


@pytest.mark.parametrize("control", [b"\x0a\x05\x0a\0\0hidden", b"\x04\x05\x0a\0\0\x06hidden"], ids=["longer", "two"])
def test_a_gifs_graphic_control_counts_whatever_follows_its_four_bytes(control: bytes) -> None:
    plain = b"!\xf9\x04\x05\x0a\0\0\0"
    small = gif(SEQUENCES["uncovered"])
    assert small.count(plain) == 2
    data = small.replace(plain, b"!\xf9" + control + b"\0", 1)
    made = derive(data, "", "gif").data
    assert made.count(plain) == 2
    assert shown(made) == shown(data) == shown(small)
    assert b"hidden" not in made


def test_a_gif_whose_frames_are_far_larger_than_its_screen_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    small = gif(SEQUENCES["parts"])
    at = small.index(b",")
    large = small[: at + 5] + b"\xff\xff\xff\xff" + small[at + 9 :]
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(large)
    with pytest.raises(TooLarge, match="frames of more pixels than its screen says"):
        strip(source, target, recognise(source))


def with_data(avif: bytes, units: bytes) -> bytes:
    """The AVIF with these AV1 units for its picture, and padding (5.7 of AV1's specification) behind them."""
    media = avifs.avif_box(avif, b"mdat")
    left = media.end - media.start - len(units) - 3
    padding = b"\x7a" + bytes((left & 0x7F | 0x80, left >> 7)) + bytes(left)
    return avif[: media.start] + units + padding + avif[media.end :]


AVIF = images.avif(images.photo(64, 48))
UNITS = AVIF[avifs.avif_box(AVIF, b"mdat").start :]
SEQUENCE_HEADER = UNITS[: 2 + UNITS[1]]


@pytest.mark.parametrize("units", [b"", SEQUENCE_HEADER], ids=["no units", "a header alone"])
def test_an_avif_without_a_picture_in_its_data_is_refused(units: bytes, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(with_data(AVIF, units))
    with pytest.raises(Undecodable, match="no pixels"):
        strip(source, target, recognise(source))
    assert target.read_bytes() == b""


DAMAGED_WEBP = base64.b64decode(
    "UklGRs4AAABXRUJQVlA4IMIAAAAQBQCdASoYABIAPlEejEQjoaEYBAA4BQSgCdMuCvgAPI/oH5ENGI8QjYFgFUTcOIeAAP7FR7laGpPJrgucGsYh4Su7"
    "LlMd9prCtpew5afW4nRQ06MoEexrXH/wTiQPtgDYnAU9B9GDyJyzUws58P54/A9LoLHaTo/ZnZrx4nvbHAr5vy2aTarQtiw599gIudvJrPD7cJ+WseG4"
    "2qfShyKJ7F0ztw9epLAJoDVXTEkKAchLT+B0Wql5aSzo2k33I+gAAA=="
)
"""A picture of 24x18 pixels, found by fuzzing: what is free at the end of one partition depends on the other's end."""


def test_what_is_left_of_a_damaged_webp_is_no_less_the_second_time() -> None:
    made = derive(DAMAGED_WEBP, "", "webp").data
    assert derive(made, "", "webp").data == made
    assert shown(made) == shown(DAMAGED_WEBP)


def test_the_size_of_a_webp_is_read_inside_its_chunk_only(tmp_path: Path) -> None:
    file = tmp_path / "file"
    chunk = b"VP8L\1\0\0\0\x2f" + bytes(10)  # a signature without the size behind it
    file.write_bytes(b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk)
    with pytest.raises(Undecodable):
        recognise(file)


def refused(data: bytes, tmp_path: Path, match: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    with pytest.raises(Undecodable, match=match):
        strip(source, tmp_path / "target", recognise(source))


def test_an_animation_of_fewer_frames_than_it_says_is_refused(tmp_path: Path) -> None:
    refused(apng(SEQUENCES["parts"], frames=255), tmp_path, "lacks frames")


def test_an_animation_of_more_frames_than_there_can_be_is_copied_as_a_still(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(apng(SEQUENCES["parts"], frames=2**31 + 2))
    strip(source, target, recognise(source))
    assert b"acTL" not in target.read_bytes()
    assert b"fdAT" not in target.read_bytes()


@pytest.mark.parametrize("width", [0, 23, 25, 16383])
def test_a_webp_whose_picture_has_another_size_than_it_says_is_refused(width: int, tmp_path: Path) -> None:
    data = bytearray(images.encode(Image.fromarray(images.photo_alpha(24, 16)), "WEBP"))
    at = data.index(b"VP8 ") + 8 + 6  # behind the frame's tag and start code (RFC 6386, 9.1)
    data[at : at + 2] = width.to_bytes(2, "little")
    refused(bytes(data), tmp_path, "another size")
