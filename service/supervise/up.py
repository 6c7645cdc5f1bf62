"""`image-gateway up`: nginx and the service under one supervisor, which holds the service's sockets and knows which
configuration is in force. SIGHUP puts a new one in force, or says why not and changes nothing.

A service prepares each start and each reload (`leading`), so the supervisor is small: it imports nothing of the
gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from service.engine import file_pages
from service.observability import logs
from service.runtime.sockets import HANDED, Sockets, taken
from service.supervise import prepared, systemd
from service.supervise.accepted import ACCEPTED, NEXT, NEXT_NGINX, write_private
from service.supervise.prepared import Prepared, Refused
from service.supervise.program import POLL, Program, end, spawn, wrote_its_pid
from service.supervise.standby import standby
from service.supervise.supervisor import Supervisor

STOP_NGINX = 35.0  # seconds; nginx ends what it is sending within worker_shutdown_timeout
STOP_SERVICE = 40.0
LONGEST_SETTLING = 10.0  # seconds; the service gives the store two, and needs some time for itself
SERVICE = "the service"
NO_START = "the service does not start with it; what it said is above"
MODULES = "modules.conf"  # the file of nginx's folder that only some machines need

log = logging.getLogger(__name__)


class NotInForce(Exception):
    """A new configuration that cannot be put in force; the text says why, a line for each reason."""


def up(file: Path | None) -> int:
    """Run the gateway with the configuration in `file`, ./config.yaml or the defaults, until SIGTERM or Ctrl-C. Return
    the exit status. Raises StartFailed and OSError where it cannot start."""
    return asyncio.run(_Gateway(file).run())


@dataclass(frozen=True, slots=True)
class _Lead:
    """A service that has prepared a start or a reload."""

    process: asyncio.subprocess.Process
    answer: Prepared
    descriptors: list[int]


class _Gateway:
    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._supervisor: Supervisor
        self._service: Program
        self._now: Prepared

    async def run(self) -> int:
        reload = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.set)  # heeded when all is up
        led = await self._lead({})
        if isinstance(led, int):
            return led
        self._now = led.answer
        logs.configure(led.answer.log)
        with contextlib.ExitStack() as stack:
            _, *descriptors = led.descriptors  # the first is the lock, which is held while it is open
            sockets = taken(descriptors)
            stack.enter_context(sockets.api)
            stack.enter_context(sockets.front)
            self._service = self._service_program(sockets)
            self._supervisor = Supervisor([self._service, self._nginx_program()], {SERVICE: led.process})
            if led.answer.trusted:
                stack.callback(asyncio.ensure_future(self._hurry(led)).cancel)
            if reload.is_set():
                self._supervisor.reload()
            try:
                await self._supervisor.run(self._announce, self._reload)
            finally:
                systemd.stopping()
        return 0

    async def _lead(self, fixed: dict[str, str], handed: tuple[int, ...] = ()) -> _Lead | int:
        """Have a new service prepare a start, or with `fixed` a reload. Return the status of one that has ended over it
        and said why. Raises Refused."""
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with control, theirs:
            file = ["-c", str(self._file)] if self._file else []
            process = await spawn(
                Program(
                    SERVICE,
                    [sys.executable, "-m", "service", "serve", "--lead", str(theirs.fileno()), *file],
                    lambda _pid: False,
                    signal.SIGTERM,
                    STOP_SERVICE,
                    descriptors=(theirs.fileno(), *handed),
                    environment={HANDED: ",".join(map(str, handed))} if handed else {},
                )
            )
            theirs.close()
            prepared.ask(control, fixed)
            try:
                return _Lead(process, *await prepared.told(control))
            except Refused as refused:
                status = await process.wait()
                if fixed:
                    raise NotInForce(
                        str(refused) or "the service does not start with it; what it said is above"
                    ) from None
                return status if status > 0 else 128 - status
            except asyncio.CancelledError:
                await end(process, signal.SIGTERM, STOP_SERVICE, SERVICE)
                raise

    def _announce(self) -> None:
        page = f", workbench http://{self._now.api}/" if self._now.page else ""
        print(f"image gateway is up: public {self._now.public}, API http://{self._now.api}{page}", flush=True)
        systemd.ready()
        file_pages.let_go()  # it does little from here on

    async def _hurry(self, led: _Lead) -> None:
        """Start nginx before the service is ready: what the caches hold may be served."""
        settled, end = Path(led.answer.runtime) / "service.settled", time.monotonic() + LONGEST_SETTLING
        while led.answer.settles and time.monotonic() < end:
            if wrote_its_pid(led.process.pid, settled):
                break
            await asyncio.sleep(POLL)
        self._supervisor.hurry()

    async def _reload(self) -> None:
        systemd.reloading()
        try:
            await self._put_in_force()
        except (NotInForce, OSError) as error:
            for line in str(error).splitlines():
                log.error("not reloaded: %s", line)
        else:
            log.info("reloaded")
        systemd.ready()

    async def _put_in_force(self) -> None:
        """First the service, then nginx, so that nginx never lets in what the service does not know yet."""
        led = await self._lead(self._now.fixed, self._service.descriptors)
        assert not isinstance(led, int)
        runtime = Path(self._now.runtime)
        accepted = runtime / ACCEPTED
        before = accepted.read_text("utf-8")
        (runtime / NEXT).replace(accepted)
        if not await self._supervisor.replace(self._service, led.process):
            write_private(accepted, before)
            raise NotInForce(NO_START)
        self._now = led.answer
        logs.configure(led.answer.log)
        _adopt(runtime / NEXT_NGINX, runtime / "nginx")
        self._supervisor.signal("nginx", signal.SIGHUP)

    def _service_program(self, sockets: Sockets) -> Program:
        runtime = Path(self._now.runtime)
        return Program(
            SERVICE,
            [sys.executable, "-m", "service", "serve", "-c", str(runtime / ACCEPTED), "--base", self._now.base],
            lambda pid: wrote_its_pid(pid, runtime / "service.pid"),
            signal.SIGTERM,
            STOP_SERVICE,
            lambda pid: wrote_its_pid(pid, runtime / "service.prepared"),
            sockets.descriptors,
            {HANDED: ",".join(map(str, sockets.descriptors))},
            lambda: standby(sockets),
        )

    def _nginx_program(self) -> Program:
        pid_file = Path(self._now.runtime) / "nginx" / "nginx.pid"
        return Program("nginx", self._now.nginx, lambda pid: wrote_its_pid(pid, pid_file), signal.SIGQUIT, STOP_NGINX)


def _adopt(rendered: Path, folder: Path) -> None:
    """Put the files that were rendered in place of those in nginx's folder."""
    if not (rendered / MODULES).exists():
        (folder / MODULES).unlink(missing_ok=True)
    for file in rendered.iterdir():
        if file.is_file():
            file.replace(folder / file.name)
