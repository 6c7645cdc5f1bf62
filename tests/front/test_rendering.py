"""`image-gateway render`: it prints nginx's configuration, or writes a folder that nginx runs on; a gateway that runs
keeps its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from service.supervise import nginx_program
from tests import images
from tests.evicting import evicting
from tests.gateways import Gateway, free_ports, running_gateway, write_config
from tests.waiting import until

CAT = images.jpeg(images.photo(64, 48))
NAME = "/images/cat.jpg/@w=20.png"


def render(file: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    """The command on a configuration file."""
    command = [sys.executable, "-m", "service", "render", "-c", file, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every rendered file with its bytes and its time."""
    files = [file for file in folder.iterdir() if file.suffix in (".conf", ".json")]
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("rendering")) as running:
        assert running.upload("cat.jpg", CAT).status_code == 201
        yield running


@contextmanager
def edited(gateway: Gateway) -> Iterator[Path]:
    """The configuration of a gateway that runs, with an edit that is not in force."""
    file = gateway.root / "config.yaml"
    before = file.read_text()
    document = yaml.safe_load(before)
    document["public"]["cors"] = "https://unfinished.example"
    file.write_text(yaml.safe_dump(document))
    yield file
    file.write_text(before)


def test_what_is_printed_is_not_in_force_even_after_nginx_starts_again(gateway: Gateway) -> None:
    folder = gateway.root / "var/run/nginx"
    before = contents(folder)
    with edited(gateway) as file:
        assert "https://unfinished.example" in render(file).stdout
        assert contents(folder) == before
        (master,) = gateway.pids("nginx: master")
        os.kill(master, signal.SIGKILL)
        until(lambda: master not in gateway.pids("nginx: master") and bool(gateway.pids("nginx: worker")))
        answered = gateway.public.get(NAME)
    assert (answered.status_code, answered.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_a_folder_that_is_written_beside_a_gateway_changes_none_of_its_files(gateway: Gateway, tmp_path: Path) -> None:
    folder = gateway.root / "var/run/nginx"
    before = contents(folder)
    with edited(gateway) as file:
        assert render(file, "--to", tmp_path / "new").returncode == 0
    assert contents(folder) == before
    assert "https://unfinished.example" in (tmp_path / "new/nginx.conf").read_text()


def test_printing_makes_nothing_where_nothing_ran_yet(tmp_path: Path) -> None:
    file = write_config(tmp_path, {}, free_ports(2))
    assert "try_files $canonical @rules;" in render(file).stdout
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.slow
def test_nginx_runs_on_a_written_folder_beside_the_service_alone(tmp_path: Path) -> None:
    public, api = free_ports(2)
    file, folder = write_config(tmp_path, {}, [public, api]), tmp_path / "a folder"
    for _ in ("new", "written before"):
        written = render(file, "--to", folder)
        assert written.returncode == 0, written.stderr
    assert (folder / "rules.json").stat().st_mode & 0o777 == 0o600
    commands = [[sys.executable, "-m", "service", "serve", "-c", str(file)], nginx_program.command(folder)]
    with (tmp_path / "log").open("wb") as log:
        processes = [subprocess.Popen(command, stderr=log) for command in commands]
        try:
            with httpx.Client(timeout=60, trust_env=False) as client:
                until(lambda: is_up(client, f"http://127.0.0.1:{api}/health/ready"))
                until(lambda: is_up(client, f"http://127.0.0.1:{public}/health"))
                client.put(f"http://127.0.0.1:{api}/images/cat.jpg", content=CAT).raise_for_status()
                answers = [client.get(f"http://127.0.0.1:{public}{NAME}") for _ in ("made", "hit")]
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(60)
    assert [(one.status_code, one.headers["X-Cache"]) for one in answers] == [(200, "MISS"), (200, "HIT-DISK")]


def is_up(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_no_folder_is_written_over_what_is_not_a_rendering(gateway: Gateway, tmp_path: Path) -> None:
    file, strange = gateway.root / "config.yaml", tmp_path / "strange"
    strange.mkdir()
    (strange / "nginx.conf").write_text("events {}\n")
    (tmp_path / "file").touch()
    for folder, why in (
        (gateway.root / "var/run/nginx", "a gateway that runs has its own files there"),
        (strange, "holds other files"),
        (tmp_path / "file", "is no folder"),
    ):
        refused = render(file, "--to", folder)
        assert refused.returncode == 1
        assert why in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert (strange / "nginx.conf").read_text() == "events {}\n"
    assert strange.stat().st_mode & 0o077


def test_every_hit_goes_by_try_files(gateway: Gateway) -> None:
    text = render(gateway.root / "config.yaml").stdout
    locations = dict(re.findall(r"^        location (\S+) \{\n(.*?)^        \}", text, re.M | re.S))
    tried = {name: re.findall("try_files (.*?);", block) for name, block in locations.items()}
    assert {name: found for name, found in tried.items() if found} == {
        "/images/": ["$canonical @rules"],
        "@rules": ["$derived @miss"],
        "/temp/": ["$temp_path @temp_refused"],
    }
    assert [name for name, block in locations.items() if " alias " in block] == ["/@derived/"]  # the service's answer


def test_a_file_that_goes_while_it_is_asked_for_is_answered_by_the_service(gateway: Gateway) -> None:
    whole = gateway.public.get(NAME)
    with evicting(gateway.derived / "cat.jpg"):
        for path in (NAME, "/images/cat.jpg?w=20&format=png"):
            answers = [gateway.public.get(path) for _ in range(60)]
            assert {(one.status_code, one.headers.get("ETag")) for one in answers} == {(200, whole.headers["ETag"])}
            assert {one.content for one in answers} == {whole.content}
