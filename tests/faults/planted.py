"""Bugs that the counts must find, one at a time: PORTALWIRE_FAULT_BUG names it."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import gevent
import msgspec
import sqlalchemy as sa

from realtime.audience import Pages
from realtime.clock import Clock
from realtime.fanout import fanout
from realtime.feed import Feed
from realtime.rooms import Room
from realtime.store import commit, epoch
from realtime.store.change import Stretch
from realtime.store.moments import iso, now
from realtime.store.schema import batches
from realtime.store.writer import Writer
from tests.faults.dying import passing
from tests.faults.points import of_batches

AHEAD = 0.3  # seconds that what is told too early is ahead of its commit


def plant() -> None:
    bug = os.environ.get("PORTALWIRE_FAULT_BUG")
    if bug:
        BUGS[bug]()


def hint_dropped_and_sweep_off() -> None:
    Feed._take = lambda *_: None  # type: ignore[method-assign]
    Feed._fill = lambda *_: None  # type: ignore[method-assign]


def emit_before_commit() -> None:
    _too_early(lambda writer, _, outcome: writer._told(outcome))


def acknowledge_before_commit() -> None:
    _too_early(lambda _, result, outcome: result.set(outcome))


def replay_too_far() -> None:
    beyond = Pages.beyond

    def too_far(pages: Pages, room: Room, cursor: int, history: bool) -> Stretch:
        return msgspec.structs.replace(beyond(pages, room, cursor + 1, history), after=cursor)

    Pages.beyond = too_far  # type: ignore[method-assign]


def removal_after_a_part() -> None:
    """What a part does not show is gone, at once."""
    commit._tells_all = lambda _submission: True
    missing = commit.holding.missing

    def believed(connection: sa.Connection, source: Any, *rest: Any) -> Any:
        source.misses, source.hold_above = 1, 1.0
        return missing(connection, source, *rest)

    commit.holding.missing = believed


def synchronous_normal() -> None:
    @sa.event.listens_for(sa.Engine, "begin")
    def careless(connection: sa.Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite" and not driver.in_transaction:
            driver.execute("PRAGMA synchronous=NORMAL")


def second_clock() -> None:
    run = Clock.run

    def ticking(clock: Clock) -> None:
        while True:
            gevent.sleep(1 - time.time() % 1)
            clock._tell({"time": iso(now())})

    def both(clock: Clock) -> None:
        gevent.spawn(ticking, clock)
        run(clock)

    Clock.run = both  # type: ignore[method-assign]


def watermark_ahead() -> None:
    """It says what the next change will be, too."""
    announce, cursor = Feed._announce, Feed.cursor

    def announced(feed: Feed, source: str, watermark: dict[str, Any]) -> None:
        with patch.object(Feed, "cursor", lambda feed, source: cursor(feed, source) + 1):
            announce(feed, source, watermark)

    Feed._announce = announced  # type: ignore[method-assign]


def batch_id_ignored() -> None:
    def forgotten(connection: sa.Connection, submission: Any) -> None:
        batch = submission.batch
        known = (batches.c.source == batch.source) & (batches.c.batch_id == batch.batch_id)
        connection.execute(sa.delete(batches).where(known))

    commit._receipt = forgotten


def offset_skipped() -> None:
    """After every batch. (A head that nobody locks would repeat one instead; the log's primary key, source and offset,
    refuses that, and the transaction runs again.)"""
    update = commit.write.update_source

    def skipping(connection: sa.Connection, source: Any) -> None:
        source.head += 1
        update(connection, source)

    commit.write.update_source = skipping


def lagging_rule_off() -> None:
    fanout.BOUND = 2**60


def dead_letter_dropped() -> None:
    commit._bury = lambda *_: None


def epoch_kept() -> None:
    epoch._body = lambda _connection: "kept"


def _too_early(tell: Callable[[Writer, Any, Any], None]) -> None:
    """What is told after a commit is told before it; "ahead of commit" is a point where a process dies in between."""
    run = Writer._run

    def ran(writer: Writer, group: Sequence[Any]) -> None:
        if not of_batches([waiting.operation for waiting in group]):
            run(writer, group)
            return
        transaction = writer._kept.transaction()
        connection = writer._pool.apply(transaction.__enter__)
        outcomes = [writer._pool.apply(waiting.operation, (connection,)) for waiting in group]
        for waiting, outcome in zip(group, outcomes, strict=True):
            tell(writer, waiting.result, outcome)
        gevent.sleep(AHEAD)
        passing("ahead of commit")
        writer._pool.apply(transaction.__exit__, (None, None, None))
        for waiting, outcome in zip(group, outcomes, strict=True):
            writer._told(outcome)
            waiting.result.set(outcome)

    Writer._run = ran  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "hint dropped, sweep off": hint_dropped_and_sweep_off,
    "emit before commit": emit_before_commit,
    "acknowledge before commit": acknowledge_before_commit,
    "replay too far": replay_too_far,
    "removal after a part": removal_after_a_part,
    "synchronous=NORMAL": synchronous_normal,
    "second clock": second_clock,
    "watermark ahead": watermark_ahead,
    "batch id ignored": batch_id_ignored,
    "offset skipped": offset_skipped,
    "lagging rule off": lagging_rule_off,
    "dead letter dropped": dead_letter_dropped,
    "epoch kept": epoch_kept,
}
