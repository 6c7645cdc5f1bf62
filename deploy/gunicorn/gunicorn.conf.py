"""Gunicorn's configuration for the service: gunicorn -c deploy/gunicorn/gunicorn.conf.py service.gunicorn:application

The gateway's own configuration is the file that IMAGE_GATEWAY_CONFIG names, else ./config.yaml. It decides where the
service listens; Gunicorn binds both sockets and keeps them open while one worker follows another. Gunicorn runs this
file again at every SIGHUP. The master imports no code of the gateway, so a new worker loads the code that is installed.
"""

import json
import os
import signal
import subprocess
import sys

STATE = "IMAGE_GATEWAY_GUNICORN"  # holds the settings in force, for this master's next reload
ONE = (
    "Gunicorn must run exactly 1 worker, not {}: single flight and the caches have one owner per node. "
    "Leave out --workers and WEB_CONCURRENCY; engine.processes uses the cores, and more nodes take more load"
)


def _settings():
    """Accept the gateway's configuration. At a reload, one with mistakes changes nothing: the last good one stays."""
    before = json.loads(os.environ.get(STATE) or "{}")
    reloading = before.get("master") == os.getpid()
    words = ["reload"] if reloading else ["adopt"] if "GUNICORN_PID" in os.environ else []
    command = [sys.executable, "-m", "service.supervise.gunicorn_master", *words]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if run.returncode == 0:
        accepted = json.loads(run.stdout)
    elif reloading:
        accepted = before
    else:
        sys.exit(1)  # standard error has the reason
    if reloading:
        _remember(accepted)
    return accepted


def _remember(settings):
    os.environ[STATE] = json.dumps({**settings, "master": os.getpid()})


_accepted = _settings()

bind = _accepted["bind"]
backlog = _accepted["backlog"]
worker_class = "aiohttp.GunicornUVLoopWebWorker"
graceful_timeout = 40  # seconds that a stop may take; requests under way get 30
timeout = 50  # seconds that a reload may take: after these, Gunicorn ends the worker that still drains
umask = 0o077  # for the unix socket: only this user's nginx, or root's, connects
worker_tmp_dir = _accepted["runtime"]
control_socket_disable = True  # it could add workers, and runs a thread in a process that forks
# `workers` is not set here, so --workers and WEB_CONCURRENCY arrive at nworkers_changed and are refused, not overruled.


def on_starting(server):
    _remember(_accepted)  # not earlier: a daemon has another process id than its configuration was first read with


def nworkers_changed(server, new_value, old_value):
    """Refuse any number of workers but one: a start fails, and later (SIGTTIN, a reload) it stays at one."""
    if old_value is None and new_value != 1:
        raise RuntimeError(ONE.format(new_value))
    if new_value > 1:
        server.log.error("refused: %s", ONE.format(new_value))
        server.cfg.set("workers", 1)
        server.num_workers = 1


def post_fork(server, worker):
    """Hold signals back while the worker loads its code: aiohttp's worker would lose them until its loop runs."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT})


def post_worker_init(worker):
    from service.gunicorn import take  # noqa: PLC0415  # in the worker only

    take(worker, _accepted["configuration"], _accepted["base"])
