"""The balancer on Kubernetes: it is the example, before the nodes that have an address just now."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.waiting import until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CONFIG, DEPLOYMENT, SERVICE = yaml.safe_load_all((DEPLOY / "kubernetes/balancer.yaml").read_text())
GATEWAY: dict[str, Any] = next(yaml.safe_load_all((DEPLOY / "kubernetes/gateway.yaml").read_text()))
NAME = "image-gateway-{}.image-gateway-nodes"
SERVER = "server image-gateway-{}.image-gateway-nodes:8080 max_fails=2 fail_timeout=5s;\n"


def test_its_configuration_is_the_example_but_for_the_port_and_the_servers() -> None:
    example = (DEPLOY / "balancer/nginx.conf").read_text()
    example = example[example.index("worker_processes") :].replace("listen 80 ", "listen 8080 ")
    example = re.sub(r"(?:        server \S+:8080 .*\n)+", "        include /run/balancer/servers.conf;\n", example)
    assert CONFIG["data"]["nginx.conf"] == example


def test_its_pods_have_the_kernel_settings_of_the_example_and_know_how_many_nodes_there_are() -> None:
    pod = DEPLOYMENT["spec"]["template"]["spec"]
    sysctls = {one["name"]: one["value"] for one in pod["securityContext"]["sysctls"]}
    assert sysctls == dict(re.findall(r"^(\S+) = (\S+)$", (DEPLOY / "balancer/sysctl.conf").read_text(), re.MULTILINE))
    assert pod["containers"][0]["env"] == [{"name": "NODES", "value": str(GATEWAY["spec"]["replicas"])}]
    assert GATEWAY["spec"]["serviceName"] == NAME.format(0).partition(".")[2]
    assert pod["containers"][0]["image"] == GATEWAY["spec"]["template"]["spec"]["containers"][0]["image"]


def test_its_service_finds_it() -> None:
    assert SERVICE["spec"]["selector"] == DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    ports = [port["name"] for port in DEPLOYMENT["spec"]["template"]["spec"]["containers"][0]["ports"]]
    assert [port["targetPort"] for port in SERVICE["spec"]["ports"]] == ports


@pytest.mark.nginx
def test_nginx_accepts_it(tmp_path: Path) -> None:
    text = CONFIG["data"]["nginx.conf"].replace("/run/balancer/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text)
    (tmp_path / "servers.conf").write_text(SERVER.format(0).replace(NAME.format(0), "127.0.0.1"))
    program = shutil.which("nginx") or shutil.which("openresty")
    assert program
    command = [program, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The script, with an nginx that notes what it is told, and with names from the file `hosts`."""
    tools = folder / "tools"
    tools.mkdir()
    for name, text in (
        ("openresty", f'echo "$@" >>{folder}/asked\ncase "$*" in *daemon*) exec sleep 600;; esac\n'),
        ("getent", f'echo >>{folder}/looks\ngrep " $2$" {folder}/hosts\n'),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{text}")
        (tools / name).chmod(0o755)
    (folder / "run").write_text(CONFIG["data"]["run"])
    environ = os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "BALANCER_FOLDER": str(folder),
        "NODES": "3",
        "PAUSE": "0.05",
    }
    process = subprocess.Popen(["sh", folder / "run"], env=environ, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def hosts(folder: Path, **addresses: str) -> None:
    """Have these nodes an address, and no others."""
    lines = [f"{address} {NAME.format(node.removeprefix('n'))}\n" for node, address in addresses.items()]
    (folder / "new").write_text("".join(lines))
    (folder / "new").replace(folder / "hosts")


def has_reloaded(asked: Path, before: int) -> bool:
    return asked.read_text().count("-s reload") > before


def holds(servers: Path, written: str) -> bool:
    return servers.read_text() == written


def test_it_has_the_nodes_that_have_an_address_and_reloads_when_one_is_another(tmp_path: Path) -> None:
    """Where no name has an address, the nodes stay what they were."""
    asked, servers = tmp_path / "asked", tmp_path / "servers.conf"
    hosts(tmp_path, n0="10.0.0.1", n2="10.0.0.3")
    with running(tmp_path):
        until(asked.exists)
        assert servers.read_text() == SERVER.format(0) + SERVER.format(2)
        for nodes, written in (
            ({"n0": "10.0.0.1", "n2": "10.0.0.9"}, SERVER.format(0) + SERVER.format(2)),
            ({"n1": "10.0.0.2"}, SERVER.format(1)),
            ({"n0": "10.0.0.4"}, SERVER.format(0)),
        ):
            before = asked.read_text().count("-s reload")
            hosts(tmp_path, **nodes)
            until(partial(has_reloaded, asked, before))
            until(partial(holds, servers, written))
        hosts(tmp_path)
        looks = (tmp_path / "looks").stat().st_size
        until(lambda: (tmp_path / "looks").stat().st_size > looks + 9)  # three rounds
        assert servers.read_text() == SERVER.format(0)
    assert asked.read_text().count("daemon off") == 1


def test_before_any_node_has_an_address_it_runs_without_one(tmp_path: Path) -> None:
    hosts(tmp_path)
    with running(tmp_path):
        until((tmp_path / "asked").exists)
        assert (tmp_path / "servers.conf").read_text() == "server 127.0.0.1:9 down;\n"
