"""Metrics for Prometheus: the counters of this module, and those of other parts of the service, which are read when
Prometheus asks. Every label has few values, all known beforehand; no name of an image is a label."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.derivatives.eager import MADE
from service.derivatives.takedown import REMOVED
from service.derivatives.write_behind import UNPERSISTED
from service.engine.pool.pool import EnginePool
from service.journal.digests import DIGESTS
from service.journal.stats import ENTRIES, OBJECTS
from service.maintenance.questions import ASKED as REVALIDATED
from service.maintenance.tasks import Tasks
from service.observability import timings
from service.outbox.outbox import COUNTERS, Outbox
from service.runtime.cpu import CpuTime
from service.store import metered
from service.store.metered import MeteredStore
from service.uploads.direct import DIRECT
from service.uploads.hook import ASKED
from service.uploads.uploads import Uploads

# A series more for each counter, which nothing reads, is a third of what a scrape costs.
disable_created_metrics()  # type: ignore[no-untyped-call]
REQUESTS = Counter(
    "image_gateway_requests",
    "Answers by port, kind of request, status and cache level; nginx hands over its own every second.",
    ["port", "kind", "status", "cache"],
    registry=None,
)
SECONDS = Histogram(
    "image_gateway_request_seconds",
    "Time until the service had answered, by port and kind; what nginx answers alone is not in it.",
    ["port", "kind"],
    buckets=timings.BUCKETS,
    registry=None,
)
UPLOADED = Counter("image_gateway_upload_bytes", "Bytes of bodies that the API received.", registry=None)
REFUSALS = Counter(
    "image_gateway_token_refusals",
    "Requests that the API refused for their token. absent: there was none; unknown: none of ours; scope: it may not.",
    ["reason"],
    registry=None,
)
for _reason in ("absent", "unknown", "scope"):
    REFUSALS.labels(_reason)  # told before there is one, so that the first is a rise
WEB_REFUSALS = Counter(
    "image_gateway_web_refusals",
    "Requests that the API refused since a web page may have sent them. site: of another origin; host: by a name.",
    ["reason"],
    registry=None,
)
for _reason in ("site", "host"):
    WEB_REFUSALS.labels(_reason)
SPANS = Counter(
    "image_gateway_spans",
    "Spans of traces. sent: delivered; failed: the collector did not take them; dropped: they waited for too long.",
    ["outcome"],
    registry=None,
)
FALLBACKS = Counter(
    "image_gateway_fallbacks",
    "Answers on the public port with public.fallback's image in place of an error, by the error's status.",
    ["status"],
    registry=None,
)
BREAKER = ("closed", "probing", "open")  # its states, by their value: the store is asked, tried, left alone

Labels = tuple[str, ...]
Samples = Iterable[tuple[Labels, float]]


class Metrics(Collector):
    """The metrics of one running service, which consists of these."""

    def __init__(self, engine: EnginePool, tasks: Tasks, store: MeteredStore, outbox: Outbox, uploads: Uploads) -> None:
        self.store = store
        self.engine = engine
        self._tasks = tasks
        self._outbox = outbox
        self._uploads = uploads
        self._engine_cpu = CpuTime()
        self._registry = CollectorRegistry(auto_describe=True)  # so that one can be found by its name
        of_uploads = (UPLOADED, DIRECT, ASKED, *((MADE,) if uploads.eager.is_on else ()))
        of_changes = (ENTRIES, OBJECTS, DIGESTS, REVALIDATED, *(COUNTERS if outbox.is_on else ()))
        own = (REQUESTS, SECONDS, REFUSALS, WEB_REFUSALS, FALLBACKS, SPANS, UNPERSISTED, REMOVED)
        for one in (*own, *of_uploads, *of_changes, timings.SECONDS, metered.SECONDS, metered.ERRORS, self):
            self._registry.register(one)
        ProcessCollector(namespace="image_gateway", registry=self._registry)

    def text(self, names: Collection[str] = ()) -> bytes:
        """All of them, or the series of these names, in Prometheus' text format 0.0.4.

        A name that there is not gives nothing. A few series cost a small part of what all of them cost.
        """
        return generate_latest(self._registry.restricted_registry(names) if names else self._registry)

    def collect(self) -> Iterator[Metric]:
        yield from self._of_engine()
        yield from self._of_caches()
        yield from self._of_freshness()
        yield from self._of_outbox()
        if self._uploads.eager.is_on:
            yield _gauge(
                "eager_waiting",
                "Images whose eager presets wait or are being made.",
                len(self._uploads.eager),
            )
        if used := self._uploads.quota.usage:
            yield _gauge("store_used_bytes", "Bytes of all originals, where a limit is set.", used.bytes)
            yield _gauge("store_used_images", "Originals in the store, where a limit is set.", used.images)
        breaker = self.store.breaker
        state: Samples = [((), float(BREAKER.index(breaker.state)))] if breaker else []
        yield _gauge("store_breaker", "0: closed; 1: probing; 2: open. Of a Swift store.", state)
        yield _counter("store_breaker_opened", "How often the store was left alone.", breaker.opened if breaker else 0)

    def _of_engine(self) -> Iterator[Metric]:
        engine, stats = self.engine, self.engine.stats
        waiting = [((lane,), float(count)) for lane, count in engine.waiting.items()]
        ended = [((outcome,), float(count)) for outcome, count in stats.ended.items()]
        yield _gauge("engine_waiting", "Jobs in the queue.", waiting, "lane")
        yield _gauge("engine_running", "Jobs that are being done.", stats.running)
        yield _gauge("engine_processes", "Engine processes that are up.", len(engine.pids))
        yield _counter("engine_cpu_seconds", "CPU time of the engine processes.", self._engine_cpu.of(engine.pids))
        yield _counter("engine_jobs", "Jobs by how they ended.", ended, "outcome")
        yield _counter("engine_refused", "Jobs that found the queue full.", stats.refused)
        yield _counter("engine_banned", "Jobs over an image that ends processes.", stats.banned)
        yield _counter("engine_displaced", "Checks of uploads that were slow and gave way to others.", stats.displaced)
        yield _counter("engine_abandoned", "Jobs whose clients had all left.", stats.abandoned)
        yield _counter("engine_restarts", "Engine processes that were replaced.", stats.restarts)
        yield _counter("engine_kills", "Engine processes that were killed over a job.", stats.kills)
        yield _counter("engine_recycled", "Engine processes that were replaced in good health.", stats.recycled)

    def _of_caches(self) -> Iterator[Metric]:
        tasks = self._tasks
        memory = tasks.disk.memory
        derived, originals = tasks.derived_janitor, tasks.originals_janitor
        trees = {"derived": (tasks.disk.tree.usage, derived), "originals": (tasks.originals.usage, originals)}
        held = {name: float(usage.bytes) for name, (usage, _) in trees.items()} | {"memory": float(memory.bytes)}
        files = {name: float(usage.files) for name, (usage, _) in trees.items()} | {"memory": float(len(memory))}
        most = {name: float(janitor.budget.bytes) for name, (_, janitor) in trees.items()}
        most["memory"] = float(memory.limit)
        evicted = {name: float(janitor.evicted) for name, (_, janitor) in trees.items()}
        failures = [((error,), float(count)) for error, count in tasks.disk.work.failures.items()]
        yield _gauge("cache_bytes", "Bytes that a cache takes.", _by_name(held), "cache")
        yield _gauge("cache_limit_bytes", "Bytes that a cache may take.", _by_name(most), "cache")
        yield _gauge("cache_files", "Files, or entries in memory.", _by_name(files), "cache")
        yield _counter("cache_evictions", "Files that were evicted.", _by_name(evicted), "cache")
        text = "Derived images that went because their image had more than cache.derived_per_image."
        yield _counter("cache_trimmed", text, tasks.crowds.trimmed)
        text = "Images whose former derived images are still to be removed from the derived container."
        yield _gauge("takedowns_waiting", text, len(tasks.derivatives.takedowns))
        yield _counter("disk_failures", "Failures of the caches' disk.", failures, "error")
        backlog = tasks.derivatives.maker.backlog
        yield _gauge("write_behind", "Derived images on their way to the store, behind the answers.", len(backlog))
        flights = tasks.derivatives.flights
        yield _gauge("flights", "Derived images that are being found or made.", len(flights))
        yield _counter("flights_shared", "Requests that waited for another's flight.", flights.shared)

    def _of_freshness(self) -> Iterator[Metric]:
        sweeps, journal = self._tasks.revalidation, self._tasks.journal
        last = sweeps.last
        is_listed, originals = last is not None and sweeps.questions.mode == "list", sweeps.originals
        age: Samples = [((), time.monotonic() - sweeps.finished)] if is_listed else []
        took: Samples = [((), last.seconds)] if last else []
        listed: Samples = [] if originals is None else [((), float(originals))]
        yield _gauge("comparison_age_seconds", "Since the listing was compared, where it is.", age)
        yield _gauge("comparison_seconds", "What the last comparison took.", took)
        yield _gauge("originals_listed", "Originals in the store at the last look.", listed)
        yield _counter("comparison_failures", "Comparisons that failed.", sweeps.failures)
        questions = sweeps.questions
        yield _gauge(
            "revalidations_due", "Images that are used, of which the store is to be asked.", len(questions.used)
        )
        yield _gauge("revalidations_oldest_seconds", "For which the first of them waits.", questions.used.oldest)
        yield _counter("revalidation_failures", "Questions that the store did not answer.", questions.failures)
        modes = [((mode,), float(mode == questions.mode)) for mode in ("head", "list")]
        yield _gauge("revalidation_mode", "1 of the way by which changes are found.", modes, "mode")
        unproven = self._tasks.disk.tree.unproven
        yield _gauge("unproven_bytes", "Bytes of derived images of unknown age.", unproven.held.bytes)
        yield _counter("proved_images", "Images of unknown age that the store said are current.", unproven.proved)
        settled: Samples = [] if journal.store.journal is None else [((), float(journal.stats.read_at is not None))]
        yield _gauge("journal_settled", "1: changes of others while this node was away are forgotten.", settled)
        read: Samples = [] if journal.stats.age is None else [((), journal.stats.age)]
        yield _gauge("journal_age_seconds", "Since the journal was read to its end.", read)
        yield _gauge("journal_waiting", "Entries of the journal that could not be written yet.", journal.waiting)
        yield _counter("journal_failures", "Reads of the journal that failed.", journal.stats.failures)
        walk = self._tasks.leftovers
        age = [] if walk.age is None else [((), walk.age)]
        part: Samples = [] if walk.progress.part is None else [((), walk.progress.part)]
        yield _gauge("walk_age_seconds", "Since a walk through this node's share of the derived container ended.", age)
        yield _gauge("walk_part", "How much of that walk is done, 0 to 1.", part)

    def _of_outbox(self) -> Iterator[Metric]:
        if self._outbox.is_on:
            waiting = {kind: float(count) for kind, count in self._outbox.waiting.items()}
            yield _gauge("outbox_waiting", "Messages that wait for delivery by this node.", _by_name(waiting), "kind")
            yield _gauge("outbox_oldest_seconds", "Age of the oldest of them; 0: there is none.", self._outbox.oldest)


def _by_name(values: dict[str, float]) -> Samples:
    return [((name,), value) for name, value in values.items()]


def _gauge(name: str, text: str, value: float | Samples, *labels: str) -> Metric:
    return _filled(GaugeMetricFamily(f"image_gateway_{name}", text, labels=labels), value)


def _counter(name: str, text: str, value: float | Samples, *labels: str) -> Metric:
    return _filled(CounterMetricFamily(f"image_gateway_{name}", text, labels=labels), value)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, value: float | Samples) -> Metric:
    samples: Samples = [((), value)] if isinstance(value, float | int) else value
    for labels, number in samples:
        family.add_metric(labels, number)
    return family
