"""A trimmed log says the same to every cursor that is not below its floor, and old rows go a piece at a time."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime import housekeeping
from realtime.housekeeping import DAY, Housekeeping
from realtime.store import prune, read, trim
from realtime.store.schema import batches, changes, dead_letters, runs, sources
from realtime.store.store import Store
from tests.contracts.test_commit import START, Bench

KEYS = "abcdef"
views = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(KEYS), st.integers(0, 2), min_size=1), st.sampled_from([None, "steel"])),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    bench = Bench(database_url)
    yield bench
    bench.engine.dispose()


def millis(bench: Bench, minute: int) -> int:
    return int((START + timedelta(minutes=minute)).timestamp() * 1000)


def told(bench: Bench, source: str, after: int) -> list[Any]:
    """What every kind of room is told from a cursor."""
    with bench.engine.begin() as connection:
        everything = read.states(connection, source, after, lambda *_: True)
        steel = read.states(connection, source, after, lambda _key, topic, _data: topic == "steel")
    return [everything, steel]


def run_trim(bench: Bench, source: str, before: int) -> int:
    """All of it; returns the floor."""
    while bench.write(partial(trim.raise_floor, source=source, before=before)):
        pass
    floor = bench.write(trim.floors)[source]
    after: int | None = 0
    while after is not None:
        after = bench.write(partial(trim.trim, source=source, after=after, floor=floor))
    return floor  # type: ignore[no-any-return]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(views=views, more=views, old=st.integers(0, 7))
def test_nobody_at_or_above_the_floor_notices(bench: Bench, views: Any, more: Any, old: int) -> None:
    source = f"s{bench.minute}"
    bench.send(("a", {"n": 0}), source=source)
    begun = bench.minute
    deliver(bench, source, views)
    floor = run_trim(bench, source, millis(bench, begun + old))
    offsets = count(bench, source)
    assert run_trim(bench, source, millis(bench, begun + old)) == floor
    assert count(bench, source) == offsets, "a second time finds nothing"
    assert floor < bench.write(partial(read.head, source=source))
    deliver(bench, source, more)
    head = bench.write(partial(read.head, source=source))
    before = {after: told(bench, source, after) for after in (0, *range(floor, head + 1))}
    further = run_trim(bench, source, millis(bench, begun + old + 4))
    for after in (0, *range(further, head + 1)):
        assert told(bench, source, after) == before[after], f"at {after}, floor {further}"
    with bench.engine.begin() as connection:
        left = connection.execute(
            sa.select(changes.c.key, changes.c.offset).where(changes.c.source == source, changes.c.offset <= further)
        ).all()
    assert len(left) == len({row.key for row in left}), "one change of a key at the floor"


def deliver(bench: Bench, source: str, views: Any) -> None:
    for values, topic in views:
        rows = [(key, {"n": n}) for key, n in values.items()]
        bench.send(*rows, source=source, complete=len(values) > 2, topics=dict.fromkeys(values, topic))


def count(bench: Bench, source: str) -> int:
    with bench.engine.begin() as connection:
        query = sa.select(sa.func.count()).select_from(changes).where(changes.c.source == source)
        return connection.execute(query).scalar_one()


def test_the_floor_moves_in_pieces_and_stops_at_what_is_young(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trim, "PIECE", 3)
    for n in range(10):
        bench.send(("a", {"n": n}))
    step = partial(trim.raise_floor, source="vendor_x", before=millis(bench, 8))
    assert [bench.write(step) for _ in range(4)] == [True, True, False, False]
    assert bench.write(trim.floors) == {"vendor_x": 7}
    assert run_trim(bench, "vendor_x", millis(bench, 8)) == 7
    assert [offset for offset, _, _ in bench.log()] == [7, 8, 9, 10]


def test_the_newest_change_is_never_below_the_floor(bench: Bench) -> None:
    bench.send(("a", {"n": 1}), ("b", {"n": 1}))
    assert run_trim(bench, "vendor_x", millis(bench, 1000)) == 1


def test_old_rows_go_a_piece_at_a_time_and_young_ones_stay(
    bench: Bench, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "PIECE", 2)
    monkeypatch.setattr(housekeeping, "PAUSE", 0)
    monkeypatch.setattr(housekeeping, "RUNS", 4)
    for n in range(7):
        bench.send(("a", {"n": n}), ("bad", {"x" * 300: 1}))
    store = Store(database_url, lambda _: None)
    tables = (batches, runs, dead_letters, changes)

    def rows(connection: sa.Connection) -> list[int]:
        return [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]

    keeper = Housekeeping(store, log_days=1)
    keeper.once(millis(bench, 1))
    assert store.read(rows) == [7, 4, 7, 7]
    keeper.once(millis(bench, 4) + housekeeping.BATCHES)
    assert store.read(rows) == [4, 4, 7, 7], "the floor is raised, what is below it goes the next time"
    keeper.once(millis(bench, 4) + housekeeping.DEAD_LETTERS)
    assert store.read(rows) == [0, 4, 4, 2]
    monkeypatch.setattr(housekeeping, "LETTERS", 1)
    keeper.once(millis(bench, 4) + housekeeping.DEAD_LETTERS)
    assert store.read(rows) == [0, 4, 1, 2]
    assert store.read(lambda c: c.execute(sa.select(sources.c.floor)).scalar_one()) == 6
    store.close()


def test_a_batch_whose_receipt_is_kept_is_not_stored_twice(bench: Bench, database_url: str) -> None:
    fields = {"batch_id": "b1", "run_id": "r1", "at": START}
    first = bench.send(("a", {"n": 1}), **fields)
    store = Store(database_url, lambda _: None)
    Housekeeping(store, log_days=None).once(millis(bench, 0) + 29 * DAY)
    store.close()
    assert bench.send(("a", {"n": 1}), **fields) == first
