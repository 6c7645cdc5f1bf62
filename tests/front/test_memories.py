"""nginx's memories of what was asked last are no larger than three quarters of a power of two.

They are Lua tables, which have room for a power of two. In one that is full every new key is a table made anew: 100 µs
for 8192 keys, in place of 0.4 (docs/performance.md).
"""

import re
from pathlib import Path

import pytest

LUA = Path(__file__).resolve().parents[2] / "nginx/lua"
SIZES = {
    file.name: int(size)
    for file in sorted(LUA.glob("*.lua"))
    for size in re.findall(r"^local REMEMBERED = (\d+)", file.read_text(), re.M)
}


def test_every_memory_is_known() -> None:
    assert sorted(SIZES) == sorted(file.name for file in LUA.glob("*.lua") if "lrucache.new(" in file.read_text())


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_full_memory_has_room_for_a_new_key(size: int) -> None:
    room = 1 << (size - 1).bit_length()
    assert size <= room * 3 // 4
