"""What this process counts and measures, for Prometheus at `/metrics`.

Counters and histograms are moved by what happens; gauges are read when somebody looks. Where several processes share
a port, whichever is asked tells the numbers of all.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from ingest_api.contract import Receipt, RunReport
from ingest_api.contract.errors import Unavailable
from realtime.gathered import gathered
from realtime.labels import METHODS, Names, among
from realtime.siblings import Siblings

COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)  # seconds
RUN_BUCKETS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)  # seconds
COUNTS = ("new", "changed", "corrected", "removed", "unchanged", "late")

Values = Mapping[tuple[tuple[str, str], ...], float]
Reading = tuple[str, str, Values]
"""A gauge as it is now: its name, its help, and label pairs -> value."""
Read = Callable[[], Iterator[Reading]]


class Metrics:
    """One process's numbers, and those that any process can tell of all. Gauges are read at every look."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.names = Names()  # of sources
        self._readings = _Readings(self.registry)
        self._shared = _Readings(CollectorRegistry())
        make: dict[str, Any] = {"registry": self.registry, "namespace": "portalwire"}
        self.batches = Counter("batches", "Batches stored", ["source"], **make)
        self.entries = Counter(
            "entries", "Entries of stored batches, by what became of them", ["source", "kind"], **make
        )
        self.runs = Counter("runs", "Runs that ended", ["source", "state"], **make)
        self.run_seconds = Histogram("run_seconds", "How long runs took", ["source"], buckets=RUN_BUCKETS, **make)
        self.commit_seconds = Histogram("commit_seconds", "A group of writes to disk", buckets=COMMIT_BUCKETS, **make)
        self.reads = Counter("store_reads", "Queries of the store", **make)
        self.pages = Counter("pages_read", "Pages read from the store for clients that catch up", **make)
        self.frames = Counter("frames", "Stretches of a log sent to rooms", ["source"], **make)
        self.catch_ups = Counter("catch_ups", "Clients that were brought from a cursor to live", **make)
        self.lagging = Counter("lagging_clients", "Clients that did not take their frames and left their room", **make)
        self.refused = Counter("events_refused", "Socket events that were answered with an error", ["code"], **make)
        self.loops_failed = Counter(
            "loops_failed", "Loops of this process that failed and began again", ["loop"], **make
        )
        self.requests = Counter("http_requests", "Requests answered", ["method", "status"], **make)

    def told(self, source: str) -> None:
        """A stretch of a source's log was sent to rooms."""
        self.frames.labels(self.names.of(source)).inc()

    def request(self, method: str, status: int) -> None:
        self.requests.labels(among(METHODS, method), status).inc()

    def watch(self, reading: Read) -> None:
        """A gauge of this process."""
        self._readings.add(reading)

    def watch_shared(self, reading: Read) -> None:
        """A gauge of what all processes share."""
        self._shared.add(reading)

    def own(self) -> bytes:
        """What is this process's, as Prometheus reads it."""
        return generate_latest(self.registry)

    def shared(self) -> bytes:
        """What all processes share."""
        return generate_latest(self._shared.registry)

    def batch(self, source: str, receipt: Receipt) -> None:
        source = self.names.of(source)
        self.batches.labels(source).inc()
        for kind in COUNTS:
            self.entries.labels(source, kind).inc(getattr(receipt, kind))
        self.entries.labels(source, "rejected").inc(len(receipt.rejected))

    def run(self, report: RunReport) -> None:
        if report.state == "running":
            return
        source = self.names.of(report.source)
        self.runs.labels(source, report.state).inc()
        if report.finished_at is not None:
            took = (report.finished_at - report.started_at).total_seconds()
            self.run_seconds.labels(source).observe(max(0.0, took))  # its clock may have been set back


class _Readings:
    """Gauges, for a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._readings: list[Read] = []
        registry.register(self)

    def add(self, reading: Read) -> None:
        self._readings.append(reading)

    def collect(self) -> Iterator[Metric]:
        for reading in self._readings:
            for name, meaning, values in _read(reading):
                labels = next(([label for label, _ in pairs] for pairs in values), [])
                family = GaugeMetricFamily(f"portalwire_{name}", meaning, labels=labels)
                for pairs, value in values.items():
                    family.add_metric([text for _, text in pairs], value)
                yield family

    def describe(self) -> list[Metric]:
        """Nothing in advance: the registry would otherwise read the gauges to learn their names."""
        return []


def _read(reading: Read) -> list[Reading]:
    """While the store is away there is nothing to read of it, and all the more of the rest."""
    try:
        return list(reading())
    except Unavailable:
        return []


def metrics_page(metrics: Metrics, siblings: Siblings | None) -> Blueprint:
    """The blueprint of `/metrics`."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show() -> Response:
        own = metrics.own()
        if siblings is not None:
            own = gathered({siblings.number: own.decode(), **siblings.numbers()})
        return Response(own + metrics.shared(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return blueprint
