"""How many statements something takes does not grow with what it is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ingest_api.contract import Aggregate, Batch, Entry, Removal, RunReport, SourceInfo
from ingest_api.contract.wire import decode_submission
from realtime.store import forget, held, ranking, read, schema, told
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.views import HoldsView

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


class Site:
    """A database, and `statements`: how many were run, those that a driver runs again for each row one by one, but for
    rows that are added: these it adds with nothing of ours between them."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url, writes=True)
        self.statements = 0
        migrate(self.engine)
        sa.event.listen(self.engine, "before_cursor_execute", self._count)

    def _count(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        self.statements += len(parameters) if many and not statement.startswith("INSERT") else 1

    def do(self, operation: Any) -> Any:
        with self.engine.begin() as connection:
            return operation(connection)

    @contextmanager
    def counted(self) -> Iterator[list[int]]:
        before, count = self.statements, [0]
        yield count
        count[0] = self.statements - before

    def deliver(self, source: str, data: dict[str, Any], minute: int, **fields: Any) -> Any:
        at = START + timedelta(minutes=minute)
        entries = [Entry(key=key, topic=f"t{len(key)}", data=values, observed_at=at) for key, values in data.items()]
        name = f"{source}-{minute}"
        batch = Batch(source=source, run_id=name, batch_id=name, entries=entries, **fields)
        submission = decode_submission(msgspec.json.encode(batch), received_at=at)
        return self.do(lambda connection: commit_batch(connection, submission, "epoch")).receipt

    def rows(self, table: sa.Table, source: str) -> int:
        count = sa.select(sa.func.count()).select_from(table).where(table.c.source == source)
        return int(self.do(lambda connection: connection.scalar(count)))


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    site = Site(database_url)
    yield site
    site.engine.dispose()


def test_a_batch_that_forgets_steps_and_loses_numbers(site: Site) -> None:
    """Whether it has ten entries or a thousand."""
    counts = []
    for size in (10, 1000):
        source = f"ticks{size}"
        keys = [f"k{number}" for number in range(size)]
        site.do(
            partial(told.configure, info=SourceInfo(name=source, aggregate=Aggregate(field="price", windows=["1h"])))
        )
        site.deliver(source, {key: {"price": 1, "stock": 1} for key in keys}, 0)
        for field in ("price", "stock"):
            site.do(partial(ranking.ask, source=source, field=field, at=0))
            site.do(partial(ranking.read_in, source=source, field=field, after="", since=0))
        for step in range(1, 12):
            site.deliver(source, {key: {"price": 1 + step, "stock": 1} for key in keys}, step)
        assert site.rows(schema.numbers, source) == 2 * size
        with site.counted() as count:
            site.deliver(source, {key: {"price": 0} for key in keys}, 50)
        counts += count
        assert site.rows(schema.numbers, source) == size, "the stock is gone"
        old = 2 * size + forget.LEAST
        left = 13 * size - old + size
        assert site.rows(schema.changes, f"{source}.candles") == left, "and of old steps all but the newest of each"
        site.do(partial(whole_above_the_floor, source=f"{source}.candles"))
    assert counts[0] == counts[1]


def whole_above_the_floor(connection: sa.Connection, source: str) -> None:
    """Who comes from the floor is told each candle, with what it was."""
    floor = next(vitals.floor for vitals in read.vitals(connection) if vitals.name == source)
    stretch = read.states(connection, source, floor, lambda *_: True)
    assert {change.kind for change in stretch.changes} == {"changed"}


def test_a_complete_batch_that_misses_half(site: Site) -> None:
    counts = []
    for size in (10, 1000):
        source = f"half{size}"
        removal = Removal(misses=1, hold_above=0.9)
        site.do(partial(told.configure, info=SourceInfo(name=source, removal=removal)))
        site.deliver(source, {f"k{n}": {"n": 1} for n in range(size)}, 0, complete=True)
        with site.counted() as count:
            receipt = site.deliver(source, {f"k{n}": {"n": 2} for n in range(size // 2)}, 1, complete=True)
        counts += count
        assert (receipt.changed, receipt.removed) == (size // 2, size // 2)
    assert counts[0] == counts[1]


def test_the_pending_holds(site: Site) -> None:
    def look(source: str | None = None) -> HoldsView:
        view: HoldsView = site.do(partial(held.hold_list, source=source))
        return view

    assert look().holds == []
    counts = []
    for number in range(10):
        hold(site, f"held{number}", 20 + number)
        with site.counted() as count:
            assert len(look().holds) == number + 1
        counts += count
    assert len(set(counts)) == 1, counts
    for number, view in enumerate(look().holds):
        size = 20 + number
        assert view == look(f"held{number}").holds[0]
        assert (view.source, view.missing_count, view.present, view.seen) == (f"held{number}", size - 4, size, 4)
        assert [missing.key for missing in view.missing] == sorted(f"k{n}" for n in range(4, size))
        assert {topic: (each.seen, each.present) for topic, each in view.by_topic.items()} == {
            "t2": (4, 10),
            "t3": (0, size - 10),
        }
        assert view.run is not None
        assert view.run.id == view.run_id == f"held{number}-9"
        assert view.usual is not None
        assert (view.usual.pages, view.usual.seconds, view.usual.seen) == (3 + number, 30, size)


def hold(site: Site, source: str, size: int) -> None:
    """A source that shows 4 of its entries, after runs that showed all of them on a page more than it had entries."""
    site.do(partial(told.configure, info=SourceInfo(name=source, removal=Removal(misses=1, hold_above=0.3))))
    site.deliver(source, {f"k{n}": {"n": 1} for n in range(size)}, 0, complete=True)
    for run in range(held.USUAL + 3):
        pages = 100 if run < 3 else size - 17
        ended = START + timedelta(seconds=30)
        facts: dict[str, Any] = {"state": "complete", "started_at": START, "finished_at": ended}
        report = RunReport(run_id=f"r{run}", source=source, pages=pages, seen=size, **facts)
        site.do(partial(told.record_run, report=report))
    assert site.deliver(source, {f"k{n}": {"n": 1} for n in range(4)}, 9, complete=True).held
