"""A loop that fails is begun again, and ends only by its own word."""

from realtime.loops import kept
from realtime.metrics import Metrics


def test_a_loop_that_fails_goes_on() -> None:
    metrics = Metrics()
    tries: list[int] = []

    def loop() -> None:
        tries.append(len(tries))
        if len(tries) < 3:
            raise ZeroDivisionError

    kept(loop, metrics)()
    assert tries == [0, 1, 2]
    name = loop.__qualname__
    assert metrics.registry.get_sample_value("portalwire_loops_failed_total", {"loop": name}) == 2
