"""What the parser of JPEG XL says of a file, against what other encoders were told to write, and that it ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.engine.headers import jxl, jxl_boxes, jxl_frames, jxl_metadata
from service.engine.headers.lsb import LowBits
from service.engine.headers.source import Work
from service.engine.job import Header, Undecodable
from service.engine.jxl.held import Held
from service.engine.recognise import missing_part, recognise
from tests import images, jxls
from tests.counts import examples
from tests.engine.deriving import derive
from tests.profiles import adobe_rgb, display_p3, matrix
from tests.waiting import little_work


def recognised(tmp_path: Path, data: bytes) -> Header:
    path = tmp_path / "image.jxl"
    path.write_bytes(data)
    return recognise(path)


def metadata(data: bytes) -> jxl_metadata.Metadata:
    return jxl_metadata.metadata(jxl_boxes.codestream(Held(data)))


class Writer:
    """Bits, the lowest of a byte first."""

    def __init__(self) -> None:
        self.value = self.length = 0

    def put(self, *fields: tuple[int, int]) -> Writer:
        """Numbers, each with how many bits it takes."""
        for number, count in fields:
            self.value |= number << self.length
            self.length += count
        return self

    def bytes(self) -> bytes:
        return self.value.to_bytes(-(-self.length // 8), "little")


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (256, 256), (257, 3), (3, 513), (640, 480), (1920, 1080), (9000, 2)])
def test_the_size_in_every_spelling(tmp_path: Path, size: tuple[int, int]) -> None:
    """Small sizes in eighths, ratios, and the lengths of numbers: encoders take the shortest."""
    data = images.jxl(images.flat(*size), lossless=True)
    assert recognised(tmp_path, data) == Header("jxl", *size)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_and_size_are_those_stored(tmp_path: Path, orientation: int) -> None:
    data = jxls.encoded(np.zeros((9, 31, 3), np.uint8), (1, 13), orientation=orientation)
    assert recognised(tmp_path, data) == Header("jxl", 31, 9, orientation=orientation)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_alpha_depth_and_gray(channels: int, depth: type[np.uint8] | type[np.uint16]) -> None:
    found = metadata(jxls.encoded(np.zeros((9, 31, channels), depth), (1, 13)))
    assert (found.alpha, found.gray) == (channels % 2 == 0, channels < 3)
    assert (found.bits, found.xyb, found.profile) == (8 * np.dtype(depth).itemsize, False, False)


def test_a_profile_is_told_of() -> None:
    data = jxls.encoded(np.zeros((9, 31, 3), np.uint8), (1, 13), icc=display_p3())
    assert metadata(data).profile
    assert metadata(images.jxl()).xyb


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("recipe", ["", "lossless=1", "w=700,up=1"])
def test_frames_and_delays_of_an_animation(tmp_path: Path, alpha: bool, recipe: str) -> None:
    delays = [40, 300, 20, 1000]
    film = images.animation(images.moving(96, 72, 4, alpha=alpha), "PNG", duration=delays)
    data = derive(film, recipe, "jxl").data
    header = recognised(tmp_path, data)
    assert (header.frames, header.alpha) == (4, alpha)
    assert jxl.delays(Held(data)) == delays
    contained = jxls.container(jxls.split(data, 5, 6, len(data) // 2))
    assert recognised(tmp_path, contained).frames == 4


def test_the_frames_end_with_the_file() -> None:
    """Of frames of one group and of many: the tables of contents add up."""
    for size in ((64, 48), (700, 520), (2100, 40)):
        assert ends(derive(images.animation(images.moving(*size, 3), "WEBP", duration=50), "", "jxl").data, 3)


def test_the_end_of_a_container_is_known(tmp_path: Path) -> None:
    path = tmp_path / "image.jxl"
    data = jxls.container([(b"jxlc", images.jxl())])
    path.write_bytes(data)
    assert missing_part(path) is None
    path.write_bytes(data[:-1])
    assert missing_part(path) == "the file ends inside a box"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\x0a",
        b"\xff\x0a\xff",
        jxls.SIGNATURE,
        jxls.container([]),
        jxls.container([(b"jxlc", b"")]),
        jxls.container([(b"jxlc", b"\xff\x0b" + bytes(9))]),
        jxls.container([(b"jxlp", bytes(3))]),
        jxls.SIGNATURE + b"\0\0\0\x04ftyp",
        jxls.SIGNATURE + b"\0\0\0\x01ftyp" + bytes(8),
    ],
)
def test_what_has_no_header_is_undecodable(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Undecodable):
        recognised(tmp_path, data)


def test_an_image_in_cmyk_is_refused_for_its_inks_would_be_shown_without_black(tmp_path: Path) -> None:
    head = Writer().put((1, 1), (0, 5), (1, 3), (0, 1), (0, 1), (0, 1), (0, 2), (1, 1))  # 8 by 8 pixels of 8 bits
    head.put((1, 2), (0, 1), (2, 2), (2, 4))  # one more channel: of black
    with pytest.raises(Undecodable, match="CMYK"):
        recognised(tmp_path, b"\xff\x0a" + head.bytes() + bytes(9))


def test_boxes_without_end_are_not_followed() -> None:
    data = jxls.SIGNATURE + 20_000 * jxls.box(b"free", b"")
    with pytest.raises(Undecodable, match="10000 boxes"):
        jxl_boxes.codestream(Held(data))


_SRGB = ((1, 1),)
_PROFILE = ((0, 1), (1, 1), (0, 2))


def _animated(
    frames: bytes, colour: tuple[tuple[int, int], ...] = _SRGB, profile: tuple[tuple[int, int], ...] = ()
) -> bytes:
    """A codestream of 8 by 8 pixels whose header says that it moves: all that is written is ImageMetadata of D.3."""
    head = Writer().put((1, 1), (0, 5), (1, 3))  # 8 rows, as wide as high
    head.put((0, 1), (1, 1), (0, 3), (0, 1), (0, 1), (1, 1))  # more fields: not turned, no intrinsic size, no preview
    head.put((0, 2), (0, 2), (0, 2), (0, 1))  # a hundredth of a second, endless
    head.put((0, 1), (0, 2), (1, 1), (0, 2), (1, 1), *colour, (1, 1), (0, 2), (1, 1), *profile)
    return b"\xff\x0a" + head.bytes() + frames


PROFILES = {
    "Display P3": display_p3(),
    "Adobe RGB": adobe_rgb(),
    "curves of 1024 points": matrix("Display P3", None),
    "a long text": matrix("Display P3", 2.2, "Of 3 names, 12.5 % are long: " * 40),
}


def ends(data: bytes, frames: int) -> bool:
    """Whether the headers and lengths of so many frames lead to the end of the file, which only right ones do."""
    found = jxl_metadata.metadata(Held(data))
    at = found.frames_at
    for _ in range(frames):
        bits = LowBits(Held(data), at)
        at = jxl_frames._end(bits, jxl_frames._frame(bits, found, None))
    return at == len(data)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", PROFILES)
def test_the_frames_behind_a_profile_are_counted(tmp_path: Path, name: str, exact: bool) -> None:
    frames = [images.photo(64, 48, seed=seed) for seed in range(3)]
    data = jxls.animated(frames, icc=PROFILES[name], exact=exact)
    assert metadata(data).profile or not exact  # libjxl finds numbers that say the same
    assert ends(data, 3)
    assert recognised(tmp_path, data).frames == 3
    assert jxl.delays(Held(data)) == [30, 50, 70]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("effort", [1, 3, 5])
def test_frames_with_groups_in_an_order_of_their_own_are_counted(exact: bool, effort: int) -> None:
    frames = [images.photo(600, 520, seed=seed) for seed in range(2)]
    data = jxls.animated(frames, by_centre=True, exact=exact, effort=effort)
    assert data != jxls.animated(frames, exact=exact, effort=effort)
    assert ends(data, 2)
    assert jxl.delays(Held(data)) == [30, 50]


def test_a_profile_of_any_length_takes_no_longer_than_others() -> None:
    """One is refused by its length, the other where its numbers end."""
    for size, says in ((200_000, "may take 65536 bytes"), (65_000, "damaged")):
        length = ((3, 2), (size & 0xFFF, 12), (1, 1), (size >> 12, 8), (0, 1))
        data = _animated(bytes(3000), _PROFILE, length)
        source = Held(data)
        source.work = Work(len(data))
        with little_work(), pytest.raises(Undecodable, match=says):
            jxl.header(source)


def test_frames_by_the_million_are_counted_no_further_than_is_allowed() -> None:
    """Regular frames of a tick, not the last, of one section without a byte."""
    frame = Writer().put((0, 1), (0, 2), (0, 1), (0, 2), (0, 2), (2, 3), (3, 3), (0, 2), (0, 1), (0, 2), (1, 2), (0, 1))
    frame.put((0, 2), (0, 2), (1, 1), (0, 2), (0, 1))
    frame.length = -(-frame.length // 8) * 8
    frame.put((0, 2), (0, 10))
    data = _animated(500_000 * frame.bytes())
    source = Held(data)
    source.work = Work(len(data), frames=50)
    with little_work():
        assert jxl.header(source).frames == 51


@pytest.mark.parametrize("seed", range(examples(15)))
def test_any_bits_are_a_header_or_a_refusal(tmp_path: Path, seed: int) -> None:
    """Never another exception, and never long."""
    chance = np.random.default_rng(seed)
    for _ in range(25):
        noise = chance.integers(0, 256, 300, np.uint8).tobytes()
        for data in (b"\xff\x0a" + noise, _animated(noise), _animated(noise, _PROFILE)):
            try:
                with little_work(2.0):
                    header = jxl.header(Held(data))
            except Undecodable:
                continue
            except Exception as error:
                assert type(error).__name__ == "NotAnImage"
                continue
            assert header.width > 0
            assert header.height > 0
