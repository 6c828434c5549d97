"""Loops that go on: one that fails is logged, counted, and begun again."""

from collections.abc import Callable

import gevent
import structlog

from realtime.metrics import Metrics

AGAIN = 1.0  # seconds until a loop that failed is begun again

log = structlog.get_logger()


def kept(loop: Callable[[], None], metrics: Metrics) -> Callable[[], None]:
    """The loop as one that ends only when it says so itself."""
    name = getattr(loop, "__qualname__", str(loop))

    def run() -> None:
        while True:
            try:
                loop()
            except Exception:
                log.exception("loop failed", loop=name)
                metrics.loops_failed.labels(name).inc()
                gevent.sleep(AGAIN)
            else:
                return

    return run
