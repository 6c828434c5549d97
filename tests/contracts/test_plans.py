"""Every statement of the application is on an index: its plan is looked at while it runs, among many rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ingest_api.contract import Aggregate, Batch, Entry, Rejected, Removal, RunReport, SourceInfo
from ingest_api.contract.batch import Dead
from ingest_api.contract.wire import decode_submission
from ingest_api.letter import WHOLE, Letter
from realtime.store import (
    activity,
    chart,
    epoch,
    held,
    holding,
    leases,
    letters,
    look,
    notes,
    presence,
    prune,
    ranking,
    read,
    revoked,
    schema,
    told,
    trim,
)
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.ranking import Asked
from tests.contracts.plans import WASTED, Calls, Plans

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
NOW = int(START.timestamp() * 1000)
MANY = 2500  # entries of a source

# What looks at more than it takes, and why that is meant: most walk an index in its order until a page is full.
WALKS = {
    'AND entries."offset" <= ': "candles that are over, with steps that are not forgotten: twice what a batch brings",
    "entries.data LIKE": "a field that the newest entries lack is looked for in all, once for whoever asks for it",
    "lower(": "text is looked for in everything, newest first; the page is what bounds it",
    "ORDER BY entries.at DESC": "the newest entries of all sources; a topic or key of none in particular filters them",
    "ORDER BY runs.number DESC": "the newest runs of all sources",
    "ORDER BY notes.id": "the newest notes of all rooms, and the oldest, which are pruned",
    "dead_letters.id": "the newest rejected entries of all sources, and the oldest, which are pruned",
}


class Site:
    """A database; `furnish` puts two sources of many entries into it, and one with ticks."""

    def __init__(self, url: str) -> None:
        self.writer, self.reader = open_engine(url, writes=True), open_engine(url, writes=False)
        self.plans = Plans()
        self.number = 0
        migrate(self.writer)

    def furnish(self) -> None:
        for name in ("x", "y"):
            self.write(partial(told.configure, info=SourceInfo(name=name, removal=Removal(misses=1, hold_above=0.3))))
            self.deliver(name, range(MANY), price=0, complete=True)
            self.deliver(name, range(0, MANY, 5), price=1)
        self.write(partial(told.configure, info=SourceInfo(name="t", aggregate=TICKS)))
        self.deliver("t", range(MANY), price=0)
        for field in ("price", "stock"):
            self.write(partial(ranking.ask, source="t", field=field, at=NOW))
            after: str | None = ""
            while after is not None:
                after = self.write(partial(ranking.read_in, source="t", field=field, after=after, since=NOW))
        self.write(self.fill)
        with self.writer.connect() as connection:
            connection.connection.cursor().execute("ANALYZE")

    def fill(self, connection: sa.Connection) -> None:
        """Many runs, dead letters, notes, people and minutes."""
        for number in range(600):
            told.record_run(connection, self.report(f"r{number}", "xy"[number % 2]))
            letters.bury(connection, self.letter(f"dead{number}"), NOW)
        connection.execute(sa.insert(schema.activity), [minute(n) for n in range(MANY)])
        connection.execute(sa.insert(schema.presence), [person(n) for n in range(MANY)])
        connection.execute(sa.insert(schema.notes), [note(n) for n in range(MANY)])

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()

    def write(self, operation: Any) -> Any:
        with self.writer.begin() as connection:
            return operation(connection)

    def read(self, query: Any) -> Any:
        with self.reader.begin() as connection:
            return query(connection)

    def deliver(self, source: str, keys: Any, price: int, **fields: Any) -> Any:
        self.number += 1
        at = START + timedelta(minutes=self.number)
        entries = [
            Entry(
                key=f"k{n:05}",
                topic=f"topic {n % 9}",
                data={"name": f"beam {n}", "price": n + price, "stock": n},
                observed_at=at + timedelta(seconds=n) if source == "t" else at,
            )
            for n in keys
        ]
        batch = Batch(source=source, run_id=f"b{self.number}", batch_id=f"b{self.number}", entries=entries, **fields)
        submission = decode_submission(msgspec.json.encode(batch), received_at=at + timedelta(hours=2))
        return self.write(lambda connection: commit_batch(connection, submission, "epoch")).receipt

    def report(self, run: str, source: str, state: str = "complete") -> RunReport:
        ended = None if state == "running" else START
        return RunReport(run_id=run, source=source, state=state, started_at=START, finished_at=ended)  # type: ignore[arg-type]

    def letter(self, batch: str) -> Letter:
        dead = Dead(rejected=Rejected(index=WHOLE, error="no batch"), payload="?")
        return Letter(source="x", run_id="r", batch_id=batch, dead=dead)


TICKS = Aggregate(field="price", windows=["1m"], retention=600, keep=900)


def minute(number: int) -> dict[str, Any]:
    return {"source": f"s{number % 5}", "minute": NOW - number * 60_000, "kind": "new", "count": 1}


def person(number: int) -> dict[str, Any]:
    """Some in the room x, some whose process is gone."""
    beat = NOW - presence.LIVES * (number % 50 == 0) - 1
    here = "x" if number % 10 == 0 else f"room{number % 40}"
    return {"room": here, "sid": f"s{number}", "process": f"p{number % 3}", "username": f"u{number}", "beat": beat}


def note(number: int) -> dict[str, Any]:
    return {"room": f"room{number % 3}", "username": "ann", "text": "hello", "at": NOW}


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    site = Site(database_url)
    site.furnish()
    yield site
    site.close()


def test_no_statement_reads_a_table_from_end_to_end(site: Site) -> None:
    calls = Calls()
    with site.plans.of(site.writer), site.plans.of(site.reader), calls.counted():
        ingest(site)
        people_and_processes(site)
        follow(site)
        look_around(site)
        tidy(site)
    assert not calls.never, "each statement is looked at here"
    assert len(site.plans.seen) > 100
    unmeant = {
        statement: plan
        for statement, plan in {**site.plans.walks, **site.plans.wasteful}.items()
        if not any(sign in statement for sign in WALKS)
    }
    assert not unmeant, "\n\n".join(f"{statement}\n{plan}" for statement, plan in unmeant.items())


def test_a_page_of_what_just_changed_needs_no_statistics(database_url: str) -> None:
    """PostgreSQL compared each change with each entry: 30 s for a page that a thousand clients wait for."""
    site = Site(database_url)
    before = site.deliver("x", range(2 * WASTED), price=0).offset
    site.deliver("x", range(2 * WASTED), price=1)
    site.deliver("x", range(WASTED), price=2)
    with site.plans.of(site.reader):
        page = site.read(partial(read.states, source="x", after=before, matches=lambda *_: True))
    site.close()
    assert len(site.plans.seen) >= 3
    assert page.upto == before + 2 * WASTED, "it is a part, within which others moved on"
    assert site.plans.wasteful == {}


@pytest.mark.parametrize(
    ("statement", "walk"),
    [
        ("WITH few AS (SELECT * FROM entries) SELECT topic FROM few", True),
        ("SELECT older.data FROM entries AS older", True),
        ("SELECT a.info, older.state FROM sources a JOIN runs AS older ON older.state = a.name", True),
        ("SELECT count(*) FROM (SELECT DISTINCT data FROM changes AS c WHERE c.version > 1) AS few", True),
        ("SELECT m.name FROM sources AS m", False),
        ("WITH few AS (SELECT key FROM entries WHERE source = 'x') SELECT key FROM few ORDER BY key", False),
    ],
)
def test_a_table_read_from_end_to_end_is_found(database_url: str, statement: str, walk: bool) -> None:
    """Also under another name, and in a statement that begins with a part of it."""
    site = Site(database_url)
    with site.plans.of(site.reader):
        site.read(lambda connection: connection.execute(sa.text(statement)).all())
    site.close()
    assert bool(site.plans.walks) == walk


def ingest(site: Site) -> None:
    site.write(epoch.end_life)
    assert site.write(epoch.epoch_of) == site.read(epoch.standing_epoch)
    site.write(partial(told.configure, info=SourceInfo(name="x", removal=Removal(misses=1, hold_above=0.3))))
    site.write(partial(told.record_run, report=site.report("run", "x", "running")))
    site.write(partial(told.record_run, report=site.report("run", "x")))
    assert site.deliver("x", range(MANY - 100, MANY + 100), price=2).changed == 100
    assert site.deliver("x", range(100, MANY + 100), price=3, complete=True).removed == 100
    hold = site.deliver("x", range(100), price=3, complete=True).held
    assert site.read(partial(held.source_of, hold=hold)) == "x"
    assert len(site.read(partial(held.hold_list, source=None)).holds) == 1
    assert len(site.read(partial(held.hold_list, source="x")).holds) == 1
    site.write(partial(holding.decide, hold_id=hold, decision="approved", at=NOW))
    hold = site.deliver("y", range(10), price=0, complete=True).held
    site.write(partial(holding.decide, hold_id=hold, decision="discarded", at=NOW))
    for number in range(ranking.FIELDS + 1):  # the first one is let go
        site.write(partial(ranking.ask, source="y", field=f"f{number}", at=NOW))
    site.write(partial(ranking.ask, source="y", field="price", at=NOW))
    after: str | None = ""
    while after is not None:
        after = site.write(partial(ranking.read_in, source="y", field="price", after=after, since=NOW))
    site.deliver("y", range(50), price=4)
    site.write(partial(letters.bury, letter=site.letter("late"), at=NOW))
    floor = site.read(partial(floor_of, source="t"))
    site.deliver("t", range(MANY + 1200, MANY + 1250), price=0)
    assert site.read(partial(floor_of, source="t")) > floor, "ticks are forgotten"
    site.deliver("t", range(MANY + 1250, MANY + 1300), price=0)
    assert site.read(partial(floor_of, source="t.candles")) > 0, "and steps of candles"


def floor_of(connection: sa.Connection, source: str) -> int:
    return next(vitals.floor for vitals in read.vitals(connection) if vitals.name == source)


def people_and_processes(site: Site) -> None:
    site.write(partial(notes.add, room="x", username="ann", text="hello", at=NOW, utterance="u"))
    site.read(partial(notes.recent, room="x"))
    site.write(partial(presence.enter, room="x", sid="s", process="p", username="ann", at=NOW))
    site.read(partial(presence.people, room="x", at=NOW))
    site.write(partial(presence.beat, process="p", at=NOW))
    site.write(partial(presence.leave, room="x", sid="s", at=NOW))
    site.write(partial(presence.drop, sids=["s", "t"], at=NOW))
    beat = site.write(partial(leases.take, name="clock", seen=None, holder="me", at=NOW))
    site.write(partial(leases.beat, name="clock", last=beat, at=NOW))
    site.read(partial(leases.look, name="clock"))
    site.write(partial(leases.release, name="clock", last=beat))
    site.write(partial(revoked.add, jti="j", at=NOW))
    site.read(partial(revoked.ids, at=NOW))


def follow(site: Site) -> None:
    site.read(read.vitals)
    site.read(partial(read.running, since=NOW))
    head = site.read(partial(read.head, source="y"))
    site.read(partial(read.log, source="y", after=head - 100))
    for after in (0, 100, MANY + 10, head):
        site.read(partial(read.states, source="y", after=after, matches=lambda *_: True))
    site.read(partial(letters.receipt, source="x", batch_id="b1", digest=None))
    asked = Asked(source="y", topic=None, by="price", down=True, limit=10, matches=lambda *_: True)
    assert site.read(partial(ranking.top, asked=asked)).items
    site.read(partial(ranking.top, asked=msgspec.structs.replace(asked, topic="topic 1", down=False)))
    site.read(partial(ranking.has_numbers, source="y", field="price"))
    assert site.read(partial(ranking.first_numeric, source="y")) == "price"
    assert site.read(partial(ranking.find, source="y", field="price", after="")) == (True, "k01999")
    assert site.read(partial(ranking.find, source="y", field="weight", after="")) == (False, None)
    site.read(partial(ranking.is_whole, source="y", field="price"))
    site.read(partial(activity.since, at=NOW))
    candles = partial(chart.candle_list, epoch="e", source="t", symbol=None, window=None, before=None, limit=50)
    assert site.read(candles).symbols
    site.read(partial(candles, symbol="k00001", before=NOW + 10**9))


def look_around(site: Site) -> None:
    site.read(partial(look.source_list, epoch="e", now=NOW))
    site.read(partial(look.one_source, epoch="e", now=NOW, name="x"))
    for source in (None, "x"):
        pages: list[Any] = [
            partial(look.run_list, source=source, limit=10),
            partial(look.dead_letter_list, source=source, limit=10),
        ]
        for filters in ({}, {"topic": "topic 1"}, {"key": "k00007"}, {"text": "beam 77"}):
            everything = {"topic": None, "key": None, "text": None, **filters}
            pages.append(partial(look.entry_list, source=source, limit=10, **everything))
        for page in pages:
            following = site.read(partial(page, after=None)).next
            if following is not None:
                site.read(partial(page, after=following))
    site.read(partial(look.history, source="y", key="k00005"))


def tidy(site: Site) -> None:
    site.write(partial(prune.old_batches, source="x", before=NOW + 10**9))
    site.write(partial(prune.old_runs, source="x", keep=10))
    for table in (schema.dead_letters, schema.notes):
        site.write(partial(prune.many, table=table, keep=100))
        site.write(partial(prune.old, table=table, before=NOW + 10**9))
    site.read(trim.floors)
    assert site.write(partial(trim.raise_floor, source="y", before=NOW + 10**9))
    site.write(partial(trim.trim, source="y", after=0, floor=400))
    site.write(partial(prune.old_activity, before=NOW + 10**9))
