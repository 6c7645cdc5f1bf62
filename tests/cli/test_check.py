"""`image-gateway check`: what is wrong is found before a start, each finding a line that says what to do."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from service.supervise import nginx_conf
from tests.cli.checking import CheckFile
from tests.gateways import free_ports, running_gateway, write_config

pytestmark = pytest.mark.slow

HOME = Path(__file__).resolve().parents[2]

Check = Callable[[Path, Mapping[str, Any]], tuple[int, list[str]]]


def run(command: str, file: Path, code: Path = HOME) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself. `code` is the project's tree to run it from."""
    ended = subprocess.run(
        [sys.executable, "-m", "service", command, "-c", file],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=code,
        env={**os.environ, "PYTHONPATH": str(code)},
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


@contextlib.contextmanager
def taken() -> Iterator[str]:
    """An address at which another program listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def check(root: Path) -> tuple[int, list[str]]:
    """Exit status, and the lines that say `wrong`, of a check of the defaults in a process of its own."""
    ended = run("check", write_config(root, {}, free_ports(2)))
    return ended.returncode, told(ended.stdout, ended.stderr)


def told(stdout: str, stderr: str) -> list[str]:
    """The lines of a check that say `wrong`, and all lines on standard error."""
    return [line for line in stdout.splitlines() if line.startswith("wrong")] + [
        line for line in stderr.splitlines() if line
    ]


@pytest.fixture
def check_here(check_file: CheckFile) -> Check:
    """The same of a file with these options: the exit status, and the lines that say `wrong`."""

    def here(root: Path, options: Mapping[str, Any]) -> tuple[int, list[str]]:
        status, *outputs = check_file(write_config(root, options, free_ports(2)))
        return status, told(*outputs)

    return here


def test_all_is_well_at_the_defaults_and_nothing_is_made(tmp_path: Path) -> None:
    assert check(tmp_path) == (0, [])
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "config.yaml"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"formats": {"accept": ["jpg", "ico", "heic"]}}, None),
        ({"cache": {"derived": "900TiB"}}, "wrong cache.derived, cache.originals: together"),
        ({"store": {"kind": "swift", "swift": {"auth_url": "http://127.0.0.1:9/auth/v1.0"}}}, "wrong store (swift): "),
        ({"store": {"directory": {"root": "config.yaml"}}}, "config.yaml is no folder that exists; make it"),
        ({"store": {"directory": {"root": "../nope/store"}}}, "/../nope/store is no folder that exists; make it"),
        ({"store": {"directory": {"derived": "../nope/kept"}}}, "/../nope/kept is no folder that exists; make it"),
        ({"store": {"directory": {"root": "/"}}}, "store.directory.root; each needs a folder of its own"),
        ({"store": {"directory": {"root": "x", "derived": "x"}}}, "wrong store.directory.root: "),
        ({"store": {"directory": {"root": "var/store"}}, "cache": {"root": "var/store/cache"}}, "wrong cache.root: "),
        ({"store": {"directory": {"root": "var/cache/store"}}}, "wrong store.directory.root: "),
        ({"cache": {"root": "/proc/nowhere"}}, "wrong cache.root: uid "),
        ({"runtime": {"root": "/proc/nowhere"}}, "wrong runtime.root: uid "),
        ({"public": {"access": "signed"}}, "config.yaml:"),
    ],
)
def test_a_finding_names_the_key_and_fails_the_check(
    check_here: Check, tmp_path: Path, options: Mapping[str, Any], wanted: str | None
) -> None:
    status, wrong = check_here(tmp_path, options)
    assert status == (1 if wanted else 0)
    assert not wanted or any(wanted in line for line in wrong), wrong


@pytest.mark.parametrize(
    ("formats", "told"),
    [
        ({"out": ["jpg"]}, ""),
        ({"negotiate": ["avif", "webp"]}, ""),
        ({"negotiate": ["webp", "avif", "webp"]}, "webp is named twice: the first place counts"),
        (
            {"out": ["jpg", "webp"], "negotiate": ["avif", "webp"]},
            "auto never becomes avif, which is not in formats.out: add it there, or remove it here",
        ),
    ],
)
def test_what_is_negotiated_to_no_effect_is_told(
    check_file: CheckFile, tmp_path: Path, formats: Mapping[str, Any], told: str
) -> None:
    status, said, _ = check_file(write_config(tmp_path, {"formats": formats}, free_ports(2)))
    assert status == 0
    assert [line for line in said.splitlines() if "formats.negotiate" in line] == (
        [f"note  formats.negotiate: {told}"] if told else []
    )


def test_a_taken_port_is_found(check_here: Check, tmp_path: Path) -> None:
    with taken() as listen:
        status, wrong = check_here(tmp_path, {"api": {"listen": listen}})
    assert status == 1
    assert any(line.startswith(f"wrong api.listen: {listen}: Address already in use") for line in wrong)


@pytest.mark.parametrize("option", ["public", "api"])
def test_a_start_at_a_taken_port_says_so_at_once(tmp_path: Path, option: str) -> None:
    with taken() as listen:
        file = write_config(tmp_path, {option: {"listen": listen}}, free_ports(2))
        ended = run("up", file)
    assert ended.returncode == 1
    says = f"{option}.listen: {listen}: Address already in use; stop what listens there, or name another address"
    assert ended.stderr.splitlines() == [says]


def test_beside_the_gateway_that_runs_only_ports_that_are_not_its_own_are_wrong(
    tmp_path: Path, check_file: CheckFile
) -> None:
    with running_gateway(tmp_path) as gateway, taken() as listen:
        file = tmp_path / "config.yaml"
        policy = tmp_path / "var/run/imagemagick/policy.xml"
        before, text = policy.read_bytes(), file.read_text()
        file.write_text(text + "formats: {accept: [png]}\n")
        status, said, _ = check_file(file)
        assert status == 0, said
        held = str(gateway.api.base_url).removeprefix("http://")
        assert f"note  api.listen: {held} is held by the gateway that runs here" in said
        assert policy.read_bytes() == before, "a check changes nothing of what runs"
        file.write_text(text.replace(held, listen))
        assert f"wrong api.listen: {listen}: Address already in use" in check_file(file)[1]


def test_a_check_makes_no_folder_that_the_configuration_names(tmp_path: Path, check_file: CheckFile) -> None:
    elsewhere = tmp_path / "other"
    options = {"store": {"directory": {"root": str(elsewhere / "store")}}, "cache": {"root": "caches"}}
    elsewhere.mkdir()
    file = write_config(tmp_path, options, free_ports(2))
    said = check_file(file)[1]
    assert f"note  store.directory.root: {elsewhere}/store does not exist yet; a start makes it" in said
    assert sorted(tmp_path.rglob("*")) == [file, elsewhere]


def test_root_hears_of_a_folder_that_its_engine_processes_cannot_pass(tmp_path: Path, check_here: Check) -> None:
    private = tmp_path / "private"
    private.mkdir(0o700)
    options = {"cache": {"root": str(private / "cache")}}
    assert check_here(tmp_path, options) == (0, [])
    if os.geteuid():
        return  # a user's engine processes pass what the service passes
    os.chown(private, 12345, 12345)
    status, lines = check_here(tmp_path, options)
    assert status == 1
    assert any("cache.root" in line and f"cannot pass {private};" in line for line in lines)


def test_links_that_only_follow_a_public_listen_are_noted(tmp_path: Path, check_file: CheckFile) -> None:
    public, api = free_ports(2)
    file = write_config(tmp_path, {"public": {"listen": f"0.0.0.0:{public}"}}, [public, api])
    noted = f"note  public.url: links begin with http://127.0.0.1:{public}, where nginx listens"
    assert noted in check_file(file)[1]
    file = write_config(tmp_path, {}, [public, api])
    assert "public.url" not in check_file(file)[1]


def test_more_memory_than_the_machine_has_is_noted(tmp_path: Path, check_file: CheckFile) -> None:
    file = write_config(tmp_path, {"cache": {"memory": "100TiB"}}, free_ports(2))
    assert "note  cache.memory: 100TiB is more than this machine has" in check_file(file)[1]


def test_a_twin_that_was_changed_alone_is_found(
    tmp_path: Path, check_here: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    shutil.copytree(HOME / "gateway", code / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(nginx_conf, "lua_root", lambda: code)
    twin = code / "gateway/equivalence.lua"
    changed = twin.read_text().replace("180", "181", 1)
    assert changed != twin.read_text()
    twin.write_text(changed)
    status, wrong = check_here(tmp_path, {})
    assert status == 1
    assert any("Lua" in line for line in wrong), wrong


def test_nginx_is_told_by_its_program_and_its_versions(tmp_path: Path, check_file: CheckFile) -> None:
    version = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True, check=True).stderr
    told = f"note  nginx: /usr/sbin/nginx: nginx {version.rpartition('/')[2].strip()}, Lua module 0.10."
    assert told in check_file(write_config(tmp_path, {}, free_ports(2)))[1]


def test_an_nginx_of_ones_own_is_named(tmp_path: Path, check_file: CheckFile, check_here: Check) -> None:
    other = tmp_path / "angie"
    other.symlink_to("/usr/sbin/nginx")
    file = write_config(tmp_path, {"runtime": {"nginx": str(other)}}, free_ports(2))
    assert f"note  nginx: {other}: nginx " in check_file(file)[1]
    _, wrong = check_here(tmp_path, {"runtime": {"nginx": "/usr/sbin/nginxx"}})
    missing = "runtime.nginx: there is no program /usr/sbin/nginxx; name one, or leave the option empty"
    assert wrong == [f"wrong nginx: {missing}"]
