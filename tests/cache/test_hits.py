"""What nginx serves alone is known to be in use, on mounts that keep access times and on those that do not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from service.cache.recency import is_referenced, spend_round
from service.supervise import nginx_conf
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import eventually

PHOTO = images.png(images.flat(8, 8, (1, 2, 3)))


async def hit(one: Node) -> Path:
    """A file that nginx has served since the janitor's hand came by."""
    await one.upload("a.png", PHOTO)
    await one.public("a.png/@w=4.png")
    file = one.derived / "a.png/@w=4.png"
    while spend_round(str(file)):
        pass
    assert not is_referenced(file.stat())
    assert (await one.public("a.png/@w=4.png")).headers["X-Cache"] == "HIT-DISK"
    return file


async def test_a_hit_sets_the_access_time_where_the_mount_keeps_it(tmp_path: Path) -> None:
    async with node(tmp_path, nginx=True) as one:
        assert is_referenced((await hit(one)).stat())


async def test_a_hit_is_told_by_nginx_where_the_mount_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_conf, "records_access_times", lambda _: False)
    lua = nginx_conf.lua_root() / "nginx/lua/hits.lua"
    quick = tmp_path / "lua/nginx/lua/hits.lua"
    quick.parent.mkdir(parents=True)
    text = lua.read_text().replace("local EVERY = 10", "local EVERY = 1")
    quick.write_text(text.replace("ngx.time() + EVERY", "ngx.time() + 3600"))  # no read sets such a time
    render = nginx_conf.render

    def with_quick_hits(*arguments: object) -> dict[str, str]:
        files = dict(render(*arguments))  # type: ignore[arg-type]
        files["nginx.conf"] = files["nginx.conf"].replace('package_path "', f'package_path "{tmp_path}/lua/?.lua;')
        return files

    monkeypatch.setattr(nginx_conf, "render", with_quick_hits)
    async with node(tmp_path, nginx=True) as one:
        file = await hit(one)
        before = file.stat()
        await one.public("a.png/@w=4.png", Range="bytes=0-0")
        await eventually(lambda: file.stat().st_atime >= time.time() + 1000)
        assert is_referenced(file.stat())
        assert file.stat().st_mtime_ns == before.st_mtime_ns


async def test_what_only_memory_answers_is_in_use_too(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        await one.upload("a.png", PHOTO)
        await one.api("a.png/@w=4.png")
        file = one.derived / "a.png/@w=4.png"
        while spend_round(str(file)):
            pass
        assert (await one.api("a.png/@w=4.png")).headers["X-Cache"] == "HIT-MEMORY"
        assert is_referenced(file.stat())
