"""The keys of temporary URLs on the directory store, when such URLs end, and how they are counted."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests import images
from tests.front.temp_urls import fetch, given, key_file, signed, status, told
from tests.gateways import Gateway, running_gateway
from tests.waiting import until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("temporary")) as gateway:
        assert gateway.upload("cat.jpg", images.jpeg()).status_code == 201
        yield gateway


def test_the_public_port_gives_no_urls_and_lists_no_key(running: Gateway) -> None:
    assert running.public.get("/images/cat.jpg?url=true").status_code == 403
    assert running.public.get("/temp/").status_code == 400
    assert running.api.get("/images/@temp-url-key?original=true").status_code == 400


def test_only_the_owner_reads_the_key_and_nginx_conf_has_none(running: Gateway) -> None:
    given(running, "cat.jpg", original="true")
    key = key_file(running).read_text().strip()
    assert stat.S_IMODE(key_file(running).stat().st_mode) == 0o600
    for file in (running.root / "var/run").rglob("*"):
        assert not file.is_file() or key.encode() not in file.read_bytes(), file
    assert key not in running.log


def test_the_image_stays_while_its_url_lives_whatever_the_caches_do(running: Gateway) -> None:
    url = given(running, "cat.jpg/@w=33.png")
    body = fetch(url).content
    subprocess.run(["rm", "-r", running.derived / "cat.jpg"], check=True)
    assert fetch(url).content == body


def test_a_url_ends_with_its_image_when_that_is_replaced_deleted_or_purged(running: Gateway) -> None:
    ends: tuple[Callable[[], httpx.Response], ...] = (
        lambda: running.upload("brief.jpg", images.jpeg(images.flat(8, 8)), replace="true"),
        lambda: running.api.delete("/images/brief.jpg/@"),
        lambda: running.api.delete("/images/brief.jpg"),
    )
    for end in ends:
        running.upload("brief.jpg", images.jpeg(), replace="true")
        url = given(running, "brief.jpg/@w=5.png")
        assert status(url) == 200
        assert end().is_success
        assert status(url) == 404


def test_a_new_key_is_made_where_the_old_one_was_removed(running: Gateway) -> None:
    old = given(running, "cat.jpg", original="true")
    key_file(running).unlink()
    assert status(old) == 401
    assert status(given(running, "cat.jpg", original="true")) == 200
    assert status(old) == 401


def test_the_command_prints_a_url_that_works(running: Gateway) -> None:
    command = [sys.executable, "-m", "service", "url", "cat.jpg/@w=20.webp", "-c", str(running.root / "config.yaml")]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert images.pixels(fetch(printed.strip()).content).shape[1] == 20


def test_answers_are_counted_as_temporary_urls(running: Gateway) -> None:
    def counted(code: int) -> float:
        row = rf'^image_gateway_requests_total\{{cache="",kind="temp_url",port="public",status="{code}"\}} (\S+)'
        found = re.search(row, running.api.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    url = given(running, "cat.jpg", original="true")
    before = counted(206), counted(405)
    assert fetch(url, Range="bytes=0-0").status_code == 206
    assert fetch(url, "PUT").status_code == 405
    until(lambda: (counted(206), counted(405)) == (before[0] + 1, before[1] + 1))


@pytest.mark.slow
def test_a_reload_takes_up_another_key_and_the_second_one_keeps_old_urls_alive(tmp_path: Path) -> None:
    with running_gateway(
        tmp_path, {"store": {"directory": {"temp_url": {"key": "old", "lifetime": "60s", "max_lifetime": "90s"}}}}
    ) as one:
        one.upload("cat.jpg", images.jpeg())
        answer = told(one, "cat.jpg", original="true", lifetime="600")
        assert answer["expires"] <= time.time() + 90
        old = answer["url"]
        assert status(old) == status(signed(one, "/temp/originals/cat.jpg", key="old")) == 200
        assert not key_file(one).exists()
        exchange_keys(one, old, {"key": "new", "key_2": "old"}, (200, 200))
        exchange_keys(one, old, {"key": "newer", "key_2": "new"}, (401, 200))


def exchange_keys(one: Gateway, old: str, keys: dict[str, str], statuses: tuple[int, int]) -> None:
    """Reload with other keys; then the old URL and one made with the new keys are answered with these statuses."""
    before = one.log.count(" reloaded")
    file = one.root / "config.yaml"
    document = yaml.safe_load(file.read_text())
    document["store"]["directory"]["temp_url"] = keys
    file.write_text(yaml.safe_dump(document))
    one.process.send_signal(signal.SIGHUP)
    until(lambda: one.log.count(" reloaded") > before)
    new = given(one, "cat.jpg", original="true")
    until(lambda: (status(old), status(new)) == statuses)  # nginx replaces its workers
