"""If the machine's clock is set back an hour, nginx does not refuse for an hour, nor use markers for an hour."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from service.supervise.nginx_conf import lua_root

lupa: Any = import_module("lupa.luajit21")

HOST = """
now, header = 1000000, nil
ngx = { now = function() return now end, var = {}, header = {} }
package.preload["nginx.lua.crypto"] = function() return {} end
package.preload["resty.lrucache"] = function()
    local _M, held = {}, {}
    function _M:get(key) return held[key] and now < held[key].ends and held[key].value or nil end
    function _M:set(key, value, seconds) held[key] = { value = value, ends = now + (seconds or math.huge) } end
    return { new = function() return _M end }
end
"""


@pytest.fixture
def lua() -> Any:
    """What these modules need of nginx, with `now` for its clock."""
    runtime = lupa.LuaRuntime()
    runtime.globals().package.path = f"{lua_root()}/?.lua"
    runtime.execute(HOST)
    return runtime


def test_relief_ends_when_it_said_whatever_becomes_of_the_clock(lua: Any) -> None:
    relief = lua.eval('require("nginx.lua.relief")')
    assert not relief.holds()
    for step, holds in ((0, True), (0.4, True), (0.5, False), (86400, False), (-3600, False), (-0.1, False)):
        lua.execute("now = 1000000; ngx.var.upstream_http_x_relief = '0.5'")
        relief.heed()
        lua.execute(f"now = now + {step}")
        assert relief.holds() is holds, step


@pytest.mark.parametrize("step", [1.0, 3600, -3600])
def test_a_marker_is_believed_for_a_second_whatever_becomes_of_the_clock(lua: Any, tmp_path: Path, step: float) -> None:
    marker = tmp_path / "a.png/@base"
    marker.parent.mkdir()
    markers = lua.eval('require("nginx.lua.markers")')
    markers.init(str(tmp_path))
    marker.write_text("png png E1 3 4 1\n1\n")
    assert markers.of("a.png").etag == "E1"
    marker.write_text("png png E2 3 4 1\n1\n")
    assert markers.of("a.png").etag == "E1"
    lua.execute(f"now = now + {step}")
    assert markers.of("a.png").etag == "E2"


def test_a_marker_is_read_afresh_for_whom_its_version_matters(lua: Any, tmp_path: Path) -> None:
    marker = tmp_path / "a.png/@base"
    marker.parent.mkdir()
    markers = lua.eval('require("nginx.lua.markers")')
    markers.init(str(tmp_path))
    for etag in ("E1", "E2"):
        marker.write_text(f"png png {etag} 3 4 1\n1\n")
        assert markers.of("a.png", True).etag == etag
    assert markers.of("a.png").etag == "E2"


@pytest.mark.parametrize("text", ["", "png png E1\n1\n", "png png E1 3 4\n1\n"])
def test_a_marker_of_another_release_tells_nothing(lua: Any, tmp_path: Path, text: str) -> None:
    marker = tmp_path / "a.png/@base"
    marker.parent.mkdir()
    marker.write_text(text)
    markers = lua.eval('require("nginx.lua.markers")')
    markers.init(str(tmp_path))
    assert markers.of("a.png") is None
