"""libjxl ends its process where it gets no memory, so it is not asked where that may be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from service.engine import memory
from service.engine.headers import jpeg
from service.engine.jxl import transcoding
from service.engine.jxl.held import Held
from tests import images

IN_LITTLE = """
import resource, sys
from pathlib import Path
from service.engine.jxl import transcoding
data, pixels = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
made = []
for bytes_each in range(52, 104, 3):
    resource.setrlimit(resource.RLIMIT_AS, (used + bytes_each * pixels, resource.RLIM_INFINITY))
    made.append(bool(transcoding.from_jpeg(data)))
print(made[0], any(made))
"""


@pytest.mark.parametrize("subsampling", [0, 2])
def test_no_process_ends_at_any_limit(subsampling: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(-30, 31, (700, 1030, 3))
    picture = np.clip(images.photo(1030, 700).astype(int) + noise, 0, 255).astype(np.uint8)
    file = tmp_path / "noise.jpg"
    file.write_bytes(images.jpeg(picture, quality=85, subsampling=subsampling))
    command = [sys.executable, "-c", IN_LITTLE, str(file), str(1030 * 700)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["False", "True"]), done.stderr


AGAIN = """
import resource, sys
from pathlib import Path
from service.engine.jxl import transcoding
data, pixels = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100 * pixels, resource.RLIM_INFINITY))
print(*[bool(transcoding.from_jpeg(data)) for _ in range(3)])
"""


@pytest.mark.skipif(not memory._can_tell, reason="the C library does not tell")
def test_what_one_image_has_taken_is_there_for_the_next(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(images.jpeg(images.photo(1030, 700)))
    command = [sys.executable, "-c", AGAIN, str(file), str(1030 * 700)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == ["True"] * 3


def test_sides_count_to_the_end_of_their_blocks_and_chroma_by_its_size() -> None:
    room = [
        transcoding._room(images.jpeg(images.photo(*size), subsampling=subsampling))
        for size, subsampling in (((640, 640), 2), ((641, 1280), 2), ((640, 640), 0), ((640, 640), 1))
    ]
    assert room[0] < room[2] == room[3] < room[1]


def test_luma_alone_has_no_chroma_of_the_whole_size() -> None:
    assert jpeg.is_halved(Held(images.jpeg_gray()))
    assert not jpeg.is_halved(Held(images.jpeg_cmyk()))


def test_without_room_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "has_room", lambda _: False)
    assert transcoding.from_jpeg(images.jpeg()) == b""
    assert transcoding.codestream(images.jpeg()) == b""
