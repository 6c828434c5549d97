"""What the parts of this process look like now, as gauges."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import get_args

import redis

from ingest_api.redis_stream import GROUP, STREAM
from realtime.audience import Audience
from realtime.bus import Bus
from realtime.fanout import Fanout
from realtime.feed import Feed
from realtime.labels import FETCHES, Names, among
from realtime.metrics import Reading, Values
from realtime.store import read
from realtime.store.moments import now
from realtime.store.standing import State, info_of, standing
from realtime.store.store import Store
from realtime.visitors import Visitors

RECENT = 3600 * 1000  # milliseconds; a run that began earlier and never ended was killed


def of_feed(store: Store, feed: Feed, names: Names) -> Callable[[], Iterator[Reading]]:
    """How far this process is behind the store."""

    def reading() -> Iterator[Reading]:
        vitals = store.read(read.vitals)
        lag = _worst(names, ((v.name, max(0, v.head - feed.cursor(v.name))) for v in vitals))
        yield "feed_lag_offsets", "Offsets of the store that this process has not told yet", lag

    return reading


def of_sources(store: Store, names: Names) -> Callable[[], Iterator[Reading]]:
    """What each source is worth."""

    def reading() -> Iterator[Reading]:
        vitals = store.read(read.vitals)
        moment = now()
        age = _worst(names, ((v.name, (moment - v.as_of) / 1000) for v in vitals if v.as_of is not None))
        counted = Counter(standing(v, info_of(v), moment).state for v in vitals)
        states: Values = {(("state", state),): float(counted[state]) for state in get_args(State)}
        yield "source_age_seconds", "Time since the moment as of which a source is complete", age
        yield "sources", "Sources by state", states

    return reading


def of_runs(store: Store) -> Callable[[], Iterator[Reading]]:
    """Runs under way; those that fetch by a browser hold one."""

    def reading() -> Iterator[Reading]:
        running = Counter(dict.fromkeys(sorted(FETCHES), 0))
        for fetch, count in store.read(partial(read.running, since=now() - RECENT)).items():
            running[among(FETCHES, fetch)] += count
        values: Values = {(("fetch", fetch),): float(count) for fetch, count in running.items()}
        yield "runs_under_way", "Runs that began and did not end yet, by how they fetch", values

    return reading


def of_clients(visitors: Visitors, audience: Audience, fanout: Fanout) -> Callable[[], Iterator[Reading]]:
    """The clients of this process."""

    def reading() -> Iterator[Reading]:
        yield "connections", "Connected clients", _one(len(visitors))
        yield "catching_up", "Rooms of clients that are being caught up now", _one(audience.catching_up)
        most, all_of_it = fanout.backlog
        yield (
            "bytes_waiting",
            "Bytes that clients have not taken; frames that several wait for count for each",
            _one(all_of_it),
        )
        yield "bytes_waiting_most", "Of them, those of the client with most", _one(most)

    return reading


def of_writer(store: Store) -> Callable[[], Iterator[Reading]]:
    def reading() -> Iterator[Reading]:
        yield "writes_waiting", "Writes that wait for a writer", _one(store.waiting)

    return reading


def of_redis(bus: Bus | None) -> Callable[[], Iterator[Reading]]:
    def reading() -> Iterator[Reading]:
        if bus is not None:
            yield "redis_connected", "Whether Redis is heard", _one(bus.connected)

    return reading


def of_stream(client: redis.Redis | None) -> Callable[[], Iterator[Reading]]:
    """The Redis door; nothing while Redis is away, or knows of no such stream."""

    def reading() -> Iterator[Reading]:
        if client is None:
            return
        try:
            length, pending = client.xlen(STREAM), client.xpending(STREAM, GROUP)["pending"]
        except redis.RedisError:
            return
        yield "stream_length", "Records of the Redis door that are not stored yet, or not trimmed yet", _one(length)
        yield "stream_pending", "Records of the Redis door that a process took and has not stored yet", _one(pending)

    return reading


def _worst(names: Names, values: Iterable[tuple[str, float]]) -> Values:
    """A gauge by source; those without a series of their own share the highest of theirs."""
    found: dict[tuple[tuple[str, str], ...], float] = {}
    for source, value in values:
        label = (("source", names.of(source)),)
        found[label] = max(float(value), found.get(label, float(value)))
    return found


def _one(value: float) -> Values:
    """A gauge without labels."""
    return {(): float(value)}
