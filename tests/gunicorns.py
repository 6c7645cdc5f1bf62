"""A real service under Gunicorn for tests, behind the nginx that `image-gateway render` configures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from gateway.config import rules_of
from service.runtime.configuration import read_config
from service.runtime.paths import make_folders, paths_of
from service.supervise import nginx_conf, nginx_program
from tests import images
from tests.gateways import Gateway, alive, command_line, descendants, free_ports, write_config
from tests.supervise.test_restarting import HIT
from tests.supervise.test_supervisor import good
from tests.waiting import until

CONF = Path(__file__).parent.parent / "deploy/gunicorn/gunicorn.conf.py"
COMMAND = [str(Path(sys.executable).parent / "gunicorn"), "-c", str(CONF)]
APPLICATION = "service.gunicorn:application"


@contextmanager
def running_gunicorn(root: Path, options: Mapping[str, Any] | None = None) -> Iterator[Gateway]:
    """Gunicorn and nginx; the `process` of the gateway is Gunicorn's master. None of its processes outlives it."""
    root.mkdir(parents=True, exist_ok=True)
    file = write_config(root, options or {}, free_ports(2))
    config, _ = read_config(file)
    paths = paths_of(config)
    make_folders(paths)
    nginx_conf.write(nginx_conf.render(config, paths, rules_of(config)), paths.nginx)  # as `image-gateway render` does
    with (root / "log").open("wb") as log:
        nginx = subprocess.Popen(nginx_program.command(paths.nginx), stderr=log)
        master = subprocess.Popen([*COMMAND, APPLICATION], cwd=root, stderr=log)
    urls = f"http://{config.public.listen}", f"http://{config.api.listen}"
    try:
        public, api = (httpx.Client(base_url=url, timeout=60, trust_env=False) for url in urls)
        with public, api:
            gateway = Gateway(public, api, root, master)
            until(good(lambda: public.get("/health")), log=lambda: gateway.log)
            assert gateway.upload("cat.jpg", images.jpeg()).status_code == 201
            assert public.get(HIT).status_code == 200
            yield gateway
    finally:
        children = descendants(master.pid)
        master.terminate()
        master.wait(60)
        nginx.send_signal(signal.SIGQUIT)
        nginx.wait(60)
        assert not [pid for pid in children if alive(pid)], "Gunicorn left processes behind"


def ends(root: Path, *words: str, environ: Mapping[str, str] | None = None) -> str:
    """What Gunicorn says on standard error that cannot start in this folder."""
    command = [*COMMAND, *words, APPLICATION]
    run = subprocess.run(
        command,
        check=False,
        cwd=root,
        env={**os.environ, **(environ or {})},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert run.returncode
    return run.stderr


def workers(gateway: Gateway) -> list[int]:
    return workers_of(gateway.process.pid)


def workers_of(master: int) -> list[int]:
    """The children of a master that run its program."""
    programs = [pid for pid in descendants(master) if str(CONF) in command_line(pid)]
    return [pid for pid in programs if parent(pid) == master]


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def reload(gateway: Gateway) -> str:
    """Have Gunicorn reload; what is logged until the new worker serves alone."""
    before, old = len(gateway.log), workers(gateway)
    os.kill(gateway.process.pid, signal.SIGHUP)
    until(lambda: "ready: the API" in gateway.log[before:] and not set(old) & set(workers(gateway)))
    return gateway.log[before:]


@contextmanager
def held_up(gateway: Gateway, width: int) -> Iterator[Future[httpx.Response]]:
    """A miss that the service has accepted and cannot answer before the context ends."""
    assert gateway.public.get(f"/images/cat.jpg/@w={width},rot=90.jpg").status_code == 200  # an engine process made it
    engines = gateway.pids("service.engine.pool.worker")
    for pid in engines:
        os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        url = f"{gateway.public.base_url}/images/cat.jpg/@w={width}.jpg"
        answer = threads.submit(httpx.get, url, timeout=60, trust_env=False)
        try:
            until(lambda: "\nimage_gateway_flights 1.0\n" in gateway.api.get("/metrics").text)
            yield answer
        finally:
            for pid in engines:
                os.kill(pid, signal.SIGCONT)
