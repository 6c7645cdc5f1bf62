"""On OpenResty: found where it is installed, run without modules of a distribution, and named by `check`.

The one here is put together from the nginx of this machine: a program in the layout of OpenResty's own installation
that has the Lua module before it reads a configuration, as one has into which it is compiled. nginx refuses a module
that is loaded twice, so every configuration that loads it fails here as it fails on OpenResty.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.supervise import nginx_program
from tests import images
from tests.cli.checking import CheckFile
from tests.gateways import Gateway, free_ports, running_gateway, write_config

NAME = "/images/cat.jpg/@w=20.png"
PROBLEM = "/images/cat.jpg/@w=x/y.webp"  # nginx itself answers it
BUILT_IN = (
    "configure arguments: --prefix=/opt/fast/nginx --add-module=../ngx_devel_kit-0.3.3 --add-module=../ngx_lua-0.10.26"
)


@dataclass(frozen=True)
class OpenResty:
    """Its `bin` folder, which has `openresty`, and the program that this is a link to."""

    bin: Path
    program: Path


def with_lua_built_in(program: Path, arguments: str = "") -> Path:
    """Write a program that is this machine's nginx with the Lua module in it; asked what it was built with, it says
    `arguments`."""
    nginx = nginx_program.program("nginx")
    loaded = "".join(f"load_module {path}; " for path in nginx_program.modules("nginx"))
    told = f'case "$*" in -V) echo {shlex.quote(arguments)} >&2; exit;; esac\n' if arguments else ""
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n{told}exec {nginx} -g {shlex.quote(loaded)} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def openresty(tmp_path_factory: pytest.TempPathFactory) -> OpenResty:
    """Laid out as OpenResty installs itself: openresty/bin/openresty is a link to ../nginx/sbin/nginx."""
    prefix = tmp_path_factory.mktemp("local") / "openresty"
    program = with_lua_built_in(prefix / "nginx/sbin/nginx")
    (prefix / "bin").mkdir()
    (prefix / "bin/openresty").symlink_to("../nginx/sbin/nginx")
    return OpenResty(prefix / "bin", program)


@pytest.fixture(scope="module")
def gateway(openresty: OpenResty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that says nothing of nginx, on a machine that has both."""
    path = f"{openresty.bin}:{os.environ['PATH']}"
    with running_gateway(tmp_path_factory.mktemp("openresty"), environ={"PATH": path}) as running:
        assert running.upload("cat.jpg", images.jpeg(images.flat(60, 40))).status_code == 201
        yield running


def test_up_runs_openresty_where_it_is_installed(gateway: Gateway) -> None:
    (master,) = gateway.pids("nginx: master")
    command = Path(f"/proc/{master}/cmdline").read_bytes().decode()
    assert nginx_program.modules("nginx")[1].name in command  # only the assembled one's
    answers = [gateway.public.get(NAME) for _ in ("made", "hit")]
    assert [(one.status_code, one.headers["X-Cache"]) for one in answers] == [(200, "MISS"), (200, "HIT-DISK")]


def test_its_configuration_loads_no_module(gateway: Gateway) -> None:
    folder = gateway.root / "var/run/nginx"
    assert not list(folder.glob("modules*"))
    assert not re.search(r"^\s*load_module", (folder / "nginx.conf").read_text(), re.M)


def test_its_problems_are_the_bytes_of_the_services(gateway: Gateway) -> None:
    assert gateway.public.get(PROBLEM).status_code == 400
    assert gateway.public.get(PROBLEM).text == gateway.api.get(PROBLEM).text


def test_check_says_which_program_it_found_and_its_versions(
    openresty: OpenResty, check_file: CheckFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{openresty.bin}:{os.environ['PATH']}")
    said = nginx_line(check_file, tmp_path, {})
    version = subprocess.run([nginx_program.program("nginx"), "-v"], capture_output=True, text=True, check=True).stderr
    found = re.fullmatch(r".*: (\S+): nginx (\S+), Lua module \d+\.\d+\.\d+, LuaJIT \S+", said)
    assert found
    assert found[1] == str(openresty.bin / "openresty")
    assert f"nginx/{found[2]}" in version


def test_the_option_names_another(
    openresty: OpenResty, check_file: CheckFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name where both are on the machine, or by its path."""
    monkeypatch.setenv("PATH", f"{openresty.bin}:{os.environ['PATH']}")
    usual = nginx_program.program("nginx")
    assert f" {usual}: nginx " in nginx_line(check_file, tmp_path, {"runtime": {"nginx": "nginx"}})
    assert f" {openresty.program}: nginx " in nginx_line(
        check_file, tmp_path, {"runtime": {"nginx": f"{openresty.program}"}}
    )


def test_an_nginx_with_the_module_built_in_needs_not_be_named_openresty(check_file: CheckFile, tmp_path: Path) -> None:
    program = with_lua_built_in(tmp_path / "opt/fast/sbin/nginx", BUILT_IN)
    assert nginx_program.modules(str(program)) == []
    assert f" {program}: nginx " in nginx_line(check_file, tmp_path, {"runtime": {"nginx": str(program)}})


def nginx_line(check_file: CheckFile, folder: Path, options: dict[str, object]) -> str:
    """What `check` says of nginx under these options, with which nothing is wrong."""
    status, said, _ = check_file(write_config(folder, options, free_ports(2)))
    assert status == 0, said
    (line,) = (line for line in said.splitlines() if line.split(": ")[0].endswith("nginx"))
    return line
