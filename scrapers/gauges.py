"""What a scheduler looks like now, as gauges."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from scrapers import timing
from scrapers.backoff import Backoff
from scrapers.config import Source
from scrapers.deliver.spool import Spool, waiting
from scrapers.lane import Lane
from scrapers.metrics import Reading
from scrapers.processes import processes


def of_lanes(lanes: Callable[[], Iterable[Lane]]) -> Callable[[], Iterator[Reading]]:
    """Runs, workers and browsers."""

    def reading() -> Iterator[Reading]:
        now = list(lanes())
        running = Counter(lane.source.fetch for lane in now if lane.running)
        workers = {lane.worker: lane.source.fetch for lane in now if lane.worker}
        sessions = {each.group: each.session for each in processes() if each.session in workers}
        browsers = {group: session for group, session in sessions.items() if group != session}  # groups of their own
        for name, meaning, found in (
            ("runs_under_way", "Runs under way", running),
            ("workers", "Worker processes", Counter(workers.values())),
            ("browsers", "Browsers alive", Counter(workers[session] for session in browsers.values())),
        ):
            yield name, meaning, "fetch", {fetch: float(found[fetch]) for fetch in ("http", "browser")}

    return reading


def of_sources(var: Path, sources: Callable[[], Iterable[Source]]) -> Callable[[], Iterator[Reading]]:
    """What lies on disk for each source."""

    def reading() -> Iterator[Reading]:
        now, names = datetime.now(UTC), [source.name for source in sources()]
        pending = {name: float(len(Spool(var, name).pending())) for name in {*names, *waiting(var)}}
        yield "spool_requests", "Requests that wait for the server", "source", pending
        starts = {name: last for name in names if (last := timing.Starts(var).last(name))}
        ages = {name: (now - last).total_seconds() for name, last in starts.items()}
        yield "since_last_run_seconds", "Time since a source's last run began", "source", ages
        rests = {name: Backoff(var).of(name) for name in names}
        left = {name: rest.left(now) if rest else 0.0 for name, rest in rests.items()}
        yield "rest_seconds", "Time that a source is still left alone after a lasting fault", "source", left
        tries = {name: float(sum(rest.tries.values())) if rest else 0.0 for name, rest in rests.items()}
        yield "failed_tries", "Tries in a row that failed for a lasting reason", "source", tries

    return reading
