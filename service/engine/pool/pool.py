"""The engine processes, and who may use them when.

Processes are started as jobs need them, and all of them end when there was no job for a while. Each does one job at a
time; what does not fit waits in a bounded lane (`queue`). A process that takes too long is killed, one that dies is
replaced at once; either costs the job it was doing and no other, and no job that killed a process is tried again unless
asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from service.engine.job import Crashed, EngineError, Interrupted, Job, Result, Saturated
from service.engine.pool.lanes import LANES, Lane, cost_of, most_at_once
from service.engine.pool.messages import encode_job
from service.engine.pool.process import EngineProcess
from service.engine.pool.queue import Closed, Full, Queue
from service.engine.pool.settings import EngineSettings
from service.engine.pool.staff import REHIRE, Staff, track
from service.engine.pool.stats import Stats
from service.engine.pool.work import Displaced, Work
from service.engine.pool.workplace import leave, sweep

ABANDONED_GRACE = 1.0
"""Seconds that a job whose clients have left may go on. Most end within it, and ending one by killing its process
costs a start (0.15 s of CPU) and everything the process had decoded; what takes longer is worth killing."""

RETRY_AFTER = (1.0, 30.0)
"""The least and the most seconds in `Retry-After`."""

LONGEST_RELIEF = 0.1
"""Seconds, at most, for which a caller in front of the pool refuses for it without asking."""

log = logging.getLogger(__name__)


class EnginePool:
    """`start` it, `run` jobs, `close` it; all on one event loop, in its main thread."""

    def __init__(self, settings: EngineSettings, stats: Stats | None = None) -> None:
        self.stats = stats or Stats()
        self._settings = settings
        self._queue: Queue[EngineProcess] = Queue(
            LANES, settings.queue, most_at_once(settings.processes), lambda: self._staff.missing
        )
        self._staff = Staff(settings, self._queue, self.stats)
        self._work = Work(self._staff, self._queue, self.stats, settings.time)
        self._abandoned: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start what processes are forked from, and have one of them prove that it can work. Raises EngineError, with
        nothing left behind, when it does not come.

        Without the policy in `config_dir` none is started, since the system's would hold instead.
        """
        if not (self._settings.config_dir / "policy.xml").is_file():
            raise EngineError("ImageMagick's policy.xml is not where the engine processes look for it")
        sweep(self._settings.writable)
        try:
            await self._staff.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End every process and every job; return when they are gone. Who waits gets Saturated."""
        self._work.closing = True
        self._queue.close()
        await self._staff.close()
        await asyncio.gather(*self._abandoned)
        leave(self._settings.writable)

    @property
    def waiting(self) -> dict[str, int]:
        """How many jobs wait, by lane."""
        return self._queue.waiting

    @property
    def relief(self) -> float:
        """Seconds for which small jobs need not even be offered, since the queue is full: less than it takes to empty
        a quarter of it, so no process idles for it. 0 when there is room."""
        waiting = self.waiting["small"]
        if waiting < self._settings.queue:
            return 0.0
        return min(LONGEST_RELIEF, self._work.seconds * waiting / self._settings.processes / 4)

    @property
    def capacity(self) -> int:
        """How many jobs may wait or be under way at once."""
        return self._settings.processes + len(LANES) * self._settings.queue

    def require_room(self, lane: Lane) -> None:
        """Raise Saturated where `run` would, for callers that do other work first."""
        if self._queue.full(lane):
            raise self._refusal()

    @property
    def pids(self) -> list[int]:
        """The engine processes that are up."""
        return sorted(process.pid for process in self._staff.processes)

    @property
    def at_once(self) -> int:
        """How many jobs may be under way at once."""
        return self._settings.processes

    @property
    def can_work(self) -> bool:
        """Whether a process is up, or can be started when a job needs one."""
        return bool(self._staff.processes) or not self._staff.failing

    @property
    def capabilities(self) -> dict[str, tuple[bool, bool]]:
        """By format, whether the engine processes can read and write it."""
        return self._staff.capabilities

    @property
    def sandbox(self) -> dict[str, bool | str]:
        """What of the sandbox is in force in the engine processes."""
        return self._staff.sandbox

    async def run(
        self,
        job: Job,
        *,
        affinity: str,
        lane: Lane = "small",
        content: str = "",
        attempts: int = 1,
    ) -> Result:
        """Have the job done by some process, by preference the one that had `affinity` (the original) last.

        `content` identifies the original's bytes. One that crashed two processes is refused for ten minutes, whatever
        is to become of it; one that took too long twice, for the same thing only. A job that crashes its process is
        tried `attempts` times in all, and once more when others end the process. The check of an upload that takes long
        goes to a lane of its own while it runs; where that has no room, and others wait, it is begun once more when it
        has. A caller cancelled while it waits costs no computation; a job that runs goes on for at most ABANDONED_GRACE
        seconds. Of a job that was begun and failed, or was abandoned, nothing stays at `job.output`, so no two jobs may
        share one. Raises Saturated, TimedOut, Crashed, Interrupted, what the engine reports (NotAnImage, TooLarge,
        Undecodable, Removed, ...), and EngineError for anything unexpected.
        """
        left = {Crashed: attempts - 1, Interrupted: 1}
        while True:
            self._work.refuse_blocked(job, content)
            try:
                return await self._run_once(job, affinity, lane, content)
            except Displaced:
                lane = "slow"
            except (Crashed, Interrupted) as ended:
                left[type(ended)] -= 1
                if left[type(ended)] < 0:
                    raise

    async def _run_once(self, job: Job, affinity: str, lane: Lane, content: str) -> Result:
        encode_job(job)  # what cannot be sent takes no process
        process = await self._admit(lane, affinity, cost_of(job.header) if lane == "upload" else 0)
        working = asyncio.ensure_future(self._work.do(process, job, lane, content))
        try:
            result = await asyncio.shield(working)
        except asyncio.CancelledError:
            track(self._abandoned, self._abandon(working, job.output))
            raise
        except EngineError as error:
            self.stats.ended[error.code] += 1
            _remove(job.output)
            raise
        except Displaced:
            self.stats.displaced += 1
            _remove(job.output)
            raise
        self.stats.ended["done"] += 1
        self.stats.add_stages(result.stages)
        return result

    async def _admit(self, lane: Lane, affinity: str, cost: int) -> EngineProcess:
        began = time.monotonic()
        if not self.can_work:
            raise self._unstaffed()
        try:
            while not (process := await self._acquire(lane, affinity, cost)).alive or self._displaced(process):
                pass  # it ended in its sleep a moment ago, and its watcher does not know yet
        except Full:
            raise self._refusal() from None
        except Closed:
            if self._work.closing:
                raise Saturated("the engine is closing") from None
            raise self._unstaffed() from None
        self.stats.add_stages({"queue": time.monotonic() - began})
        return process

    async def _acquire(self, lane: Lane, affinity: str, cost: int) -> EngineProcess:
        if self._staff.missing:
            self._staff.hire(self._queue.wanting(lane, affinity))
        return await self._queue.acquire(lane, affinity, cost)

    def _unstaffed(self) -> Saturated:
        return Saturated("no engine process can be started", REHIRE[1])

    def _refusal(self) -> Saturated:
        self.stats.refused += 1
        seconds = self._work.seconds * sum(self.waiting.values()) / self._settings.processes
        return Saturated("the engine's queue is full", min(max(seconds, RETRY_AFTER[0]), RETRY_AFTER[1]))

    def _displaced(self, process: EngineProcess) -> bool:
        """Whether folders that the process was let into were deleted since; then it is replaced."""
        if not process.is_displaced():
            return False
        log.info("engine process %d is replaced: the folders it was let into were deleted", process.pid)
        self._staff.replace(process)
        return True

    async def _abandon(self, working: asyncio.Future[Result], output: str) -> None:
        self.stats.abandoned += 1
        await asyncio.wait({working}, timeout=ABANDONED_GRACE)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        _remove(output)


def _remove(output: str) -> None:
    if output:
        Path(output).unlink(missing_ok=True)
