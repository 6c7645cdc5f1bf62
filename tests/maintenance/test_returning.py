"""A node that comes back shows nothing that other nodes have replaced meanwhile."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gateway.journal import Entry, entry_name
from service.cache.usage import BLOCK, Budget
from service.runtime.settled import Settled
from tests.cache.nodes import Node, node
from tests.cache.trees import marker, name, paths, publish, tree_in
from tests.conftest import swift_options
from tests.gateways import alive, descendants, running_gateway
from tests.maintenance.test_used import colour, colour_of, picture, put
from tests.swift.faults import NO_FAULT, Fault
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.swift.test_gateway import proxy_before, through
from tests.waiting import PATIENCE, eventually, until

AWAY = 3 * 3600.0  # seconds, longer than the journal reaches
A, B = "/images/a.png/@w=4.png", "/images/b.png/@w=4.png"
UNSETTLED = "what is on the disk is served as it is"  # in the log


def replace(swift: SwiftServer, container: str, image: str, data: bytes) -> None:
    """As another node does it: the object, and its entry in the journal."""
    with closing(client(swift.url)) as connection:
        etag = connection.put_object(container, image, data, content_type="image/png")
        modified = math.ceil(float(connection.head_object(container, image)["x-timestamp"]))
        entry = Entry("put", image, etag, modified, time.time(), "ff")
        connection.put_object(f"{container}-journal", entry_name(entry, "01"), b"x", content_type="text/plain")


@pytest.mark.slow
def test_what_was_replaced_while_a_node_was_away_is_never_shown_and_the_disk_is_where_swift_is_silent(
    swift: SwiftServer, tmp_path: Path
) -> None:
    options = swift_options(swift)
    container = options["store"]["swift"]["container"]
    with proxy_before(swift.url) as proxy:
        options = through(options, proxy, retries=1)
        with running_gateway(tmp_path, options) as gateway:
            for image in ("a.png", "b.png"):
                assert gateway.upload(image, picture(1)).status_code == 201
            assert [colour_of(gateway.public.get(each)) for each in (A, B)] == [colour(1)] * 2

        for number in range(2, 9):
            replace(swift, container, "a.png", picture(number))
            with running_gateway(tmp_path, options) as gateway:
                if UNSETTLED in gateway.log:  # a busy machine: Swift took longer than its two seconds
                    continue
                assert colour_of(gateway.public.get(A)) == colour(number)
                assert gateway.public.get(B).headers["X-Cache"] == "HIT-DISK"
                assert gateway.api.get("/stats").json()["settled"] is True
                break
        else:
            pytest.fail("Swift never answered in time")

        replace(swift, container, "a.png", picture(20))
        proxy.fault = Fault(silent=True)
        with running_gateway(tmp_path, options) as gateway:
            assert colour_of(gateway.public.get(A)) == colour(number)
            assert gateway.api.get("/stats").json()["settled"] is False
            assert "image_gateway_journal_settled 0.0" in gateway.api.get("/metrics").text
            assert UNSETTLED in gateway.log
            proxy.fault = NO_FAULT
            until(lambda: gateway.api.get("/stats").json()["settled"])
            until(lambda: colour_of(gateway.public.get(A)) == colour(20))


@pytest.mark.slow
def test_nginx_does_not_wait_for_a_service_that_waits_for_swift(swift: SwiftServer, tmp_path: Path) -> None:
    with proxy_before(swift.url) as proxy:
        options = through(swift_options(swift), proxy, timeout="5m")
        with running_gateway(tmp_path, options) as gateway:
            assert gateway.upload("a.png", picture(1)).status_code == 201
            assert colour_of(gateway.public.get(A)) == colour(1)
        proxy.fault = Fault(silent=True)
        public = "http://" + yaml.safe_load((tmp_path / "config.yaml").read_text())["public"]["listen"]
        command = [sys.executable, "-m", "service", "up", "-c", str(tmp_path / "config.yaml")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                until(lambda: hit(public + A) == "HIT-DISK")
                assert not (tmp_path / "var/run/service.pid").exists()  # the service is not ready
            finally:
                children = descendants(process.pid)
                for pid in (process.pid, *children):  # none waits for Swift
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.wait(60)
                until(lambda: not any(map(alive, children)))


def hit(url: str) -> str:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, timeout=60, trust_env=False).headers["X-Cache"]
    return ""


@pytest.fixture(scope="module")
def options(swift: SwiftServer) -> dict[str, Any]:
    return {**swift_options(swift), "cache": {"revalidate": "1h", "journal": "100ms"}, "engine": {"processes": 1}}


def be_away(root: Path) -> None:
    """Let the node of this folder have been away for long."""
    place = root / "var/run/journal/place"
    document = json.loads(place.read_text())
    document.update(read=time.time() - AWAY, newest=time.time() - AWAY)
    place.write_text(json.dumps(document))


async def shows(one: Node, path: str, level: str, number: int) -> None:
    answer = await one.api(path)
    assert (answer.status, answer.headers["X-Cache"], answer.colour) == (200, level, colour(number)), path


@pytest.mark.slow
async def test_after_long_each_image_is_proved_by_one_question_in_place_of_a_computation(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.runtime.settled.PATIENCE", PATIENCE)
    container = options["store"]["swift"]["container"]
    same = ("photos", "photos/x.png", "later.png", "x" * 300)
    async with node(tmp_path, options) as one:
        for image in (*same, "changed.png", "gone.png", "purged.png"):
            await one.upload(image, picture(1))
            await shows(one, f"{image}/@w=4.png", "MISS", 1)
    be_away(tmp_path)
    put(swift, container, "changed.png", picture(2))
    with closing(client(swift.url)) as connection:
        connection.delete_object(container, "gone.png")
    async with node(tmp_path, options) as one:
        unproven = tmp_path / "var/cache/unproven"
        assert not list(one.derived.iterdir())
        for image in ("photos", "x" * 300):
            await shows(one, f"{image}/@w=4.png", "HIT-DISK", 1)
        assert (one.derived / "photos/@base").exists()
        assert not (one.derived / "photos/x.png").exists()
        assert (unproven / "photos/x.png/@base").exists()
        await shows(one, "photos/x.png/@w=4.png", "HIT-DISK", 1)
        await shows(one, "changed.png/@w=4.png", "MISS", 2)
        assert (await one.api("gone.png/@w=4.png")).status == 404
        assert one.made == 1
        assert (await one.api("photos?w=5&format=auto")).status == 200  # read from its marker
        async with one.client.post(f"http://{one.config.api.listen}/purge", json={"names": ["purged.png"]}) as answer:
            assert answer.status == 200
        await shows(one, "purged.png/@w=4.png", "MISS", 1)
        assert one.context.tasks.disk.tree.unproven.proved == 3
    async with node(tmp_path, options) as one:  # that it was away for short tells nothing of what was left
        assert (unproven / "later.png/@base").exists()
        await shows(one, "later.png/@w=4.png", "HIT-DISK", 1)
        async with one.client.post(f"http://{one.config.api.listen}/purge", json={"prefix": "p"}) as answer:
            assert answer.status == 200
        await eventually(lambda: not unproven.exists())


@pytest.mark.slow
async def test_without_an_answer_what_is_of_unknown_age_is_used_and_asked_for_later(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path
) -> None:
    container = options["store"]["swift"]["container"]
    with proxy_before(swift.url) as proxy:
        behind = {**through(options, proxy, retries=1), "cache": {"revalidate": "100ms", "journal": "100ms"}}
        async with node(tmp_path, behind) as one:
            await one.upload("u.png", picture(1))
            await shows(one, "u.png/@w=4.png", "MISS", 1)
        be_away(tmp_path)
        put(swift, container, "u.png", picture(2))
        async with node(tmp_path, behind) as one:
            proxy.fault = Fault(refuse=True)
            await shows(one, "u.png/@w=4.png", "HIT-DISK", 1)
            proxy.fault = NO_FAULT
            await eventually(lambda: not (one.derived / "u.png").exists())
            await eventually(lambda: one.context.store.trouble is None)  # type: ignore[attr-defined]
            assert (await one.api("u.png/@w=4.png")).colour == colour(2)


@pytest.mark.slow
async def test_a_directory_store_hides_nothing(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        await one.upload("a.png", picture(1))
        await shows(one, "a.png/@w=4.png", "MISS", 1)
    async with node(tmp_path) as one:
        assert (one.derived / "a.png/@w=4.png").exists()


def test_only_an_images_own_files_are_moved_back_the_rest_waits_or_is_forgotten(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    for image in ("a", "a/b", "c"):
        publish(tree, image)
        publish(tree, image, 2)
    before = tree.usage.files
    assert tree.unproven.hide()
    assert (paths(tree), tree.usage.files) == (set(), 0)
    assert tree.unproven.marker("a") == marker()
    tree.unproven.take_back("a")
    assert paths(tree) == {"a/@base", "a/@w=1.jpg", "a/@w=2.jpg"}
    assert tree.find(name("a")) is not None
    tree.forget("c")
    assert tree.unproven.marker("c") is None
    tree.unproven.take_back("a/b")
    assert (len(paths(tree)), tree.usage.files) == (6, before - 4)
    tree.forget_all()
    assert not tree.unproven.root.exists()
    assert not tree.unproven.hide()


def test_what_is_of_unknown_age_counts_against_the_budget(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    publish(tree, "a")
    tree.unproven.hide()
    tree.unproven.held.add(9 * BLOCK)
    assert tree.unproven.fits(Budget(10 * BLOCK, 100), 0.95)
    publish(tree, "b")
    assert not tree.unproven.fits(Budget(10 * BLOCK, 100), 0.95)


@pytest.mark.parametrize("told", [True, False])
async def test_nginx_may_serve_when_it_is_told_or_when_the_store_took_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    monkeypatch.setattr("service.runtime.settled.PATIENCE", 3600.0 if told else 0.0)
    settled = Settled(tmp_path / "settled")
    async with settled.waiting():
        if not told:
            await eventually((tmp_path / "settled").exists)
    assert (tmp_path / "settled").exists() != told
    settled.tell()
    assert (tmp_path / "settled").exists()
