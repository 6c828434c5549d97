"""What the scheduler counts and measures, for Prometheus: served on this machine when a port is named."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from scrapers.errors import ConfigError

Outcome = Literal["run", "coalesced", "rested", "missed"]
Reading = tuple[str, str, str, Mapping[str, float]]
"""A gauge as it is now: its name, its help, its label, and label value -> value."""

_NAMESPACE = "portalwire_scheduler"


class Metrics:
    """One scheduler's numbers. `watch` adds gauges, each read at every look."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._readings: list[Callable[[], Iterator[Reading]]] = []
        self._slots = Counter(
            "slots",
            "Times a source was due: it ran, fell together with a run under way, rested after a fault, or was too late",
            ["source", "outcome"],
            namespace=_NAMESPACE,
            registry=self.registry,
        )
        self.registry.register(self)

    def slot(self, source: str, outcome: Outcome) -> None:
        """The source was due."""
        self._slots.labels(source, outcome).inc()

    def watch(self, reading: Callable[[], Iterator[Reading]]) -> None:
        self._readings.append(reading)

    def collect(self) -> Iterator[Metric]:
        """The gauges, for the registry."""
        for reading in self._readings:
            for name, meaning, label, values in reading():
                family = GaugeMetricFamily(f"{_NAMESPACE}_{name}", meaning, labels=[label])
                for each, value in values.items():
                    family.add_metric([each], value)
                yield family

    def describe(self) -> list[Metric]:
        """Nothing in advance: the registry would otherwise read the gauges to learn their names."""
        return []

    @contextmanager
    def served(self, port: str | None) -> Iterator[None]:
        """At http://127.0.0.1:PORT/metrics meanwhile; nowhere without a port. Raises ConfigError."""
        if not port:
            yield
            return
        try:
            server, thread = start_http_server(int(port), "127.0.0.1", self.registry)
        except (ValueError, OverflowError, OSError) as error:
            raise ConfigError(
                [f"PORTALWIRE_SCHEDULER_METRICS={port}: the metrics cannot be served: {error}"]
            ) from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
