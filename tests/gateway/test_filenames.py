"""Characters that hide or reorder others leave no name of a file, in Python and in Lua."""

from __future__ import annotations

import pytest

from gateway.filenames import visible
from gateway.lua_contract import LUA_ROOT, lupa

LUA = lupa.LuaRuntime(encoding="utf-8")
LUA.execute(f"package.path = '{LUA_ROOT}/?.lua;' .. package.path")
LUA_VISIBLE = LUA.eval("require('gateway.filenames').visible")
HIDDEN = (
    *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),  # Unicode Standard Annex 9, table 4 on
    *(0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF),  # without width
    *(0x2028, 0x2029),
)
BESIDE = (0x061B, 0x061D, 0x200A, 0x2010, 0x2027, 0x202F, 0x205F, 0x206A, 0xFEFE, 0xFF00, 0x20AC, 0x732B, 0x1F408)


@pytest.mark.parametrize("code", HIDDEN)
def test_what_hides_becomes_a_line(code: int) -> None:
    for one in (visible, LUA_VISIBLE):
        assert one(f"a{chr(code)}b{chr(code)}") == "a_b_"


@pytest.mark.parametrize("code", BESIDE)
def test_what_is_seen_stays(code: int) -> None:
    for one in (visible, LUA_VISIBLE):
        assert one(f"a{chr(code)}b") == f"a{chr(code)}b"
