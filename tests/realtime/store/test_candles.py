"""Candles beside a brute-force oracle, on both databases: late, doubled and shuffled batches, and forgetting."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_api.contract import Aggregate, Batch, Entry, Receipt, SourceInfo
from ingest_api.contract.wire import decode_submission
from realtime.store import read, told
from realtime.store.aggregate import Reserved
from realtime.store.commit import Committed, commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.schema import batches, candles, changes, entries, metadata, sources

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
EXAMPLES = {"sqlite": 60, "postgresql": 20}
WINDOWS = {"10s": 10, "1m": 60}


class Tick(NamedTuple):
    symbol: str
    number: int
    second: float  # after START
    price: str
    volume: int

    @property
    def key(self) -> str:
        return f"{self.symbol}-{self.number}"


class Desk:
    """A database that makes candles of what it is sent."""

    def __init__(self, url: str, **aggregate: Any) -> None:
        self.engine = open_engine(url, writes=True)
        migrate(self.engine)
        self.sent = 0
        self.tell(**aggregate)

    def tell(self, **aggregate: Any) -> None:
        config = Aggregate(field="price", by="symbol", windows=list(WINDOWS), volume="volume", **aggregate)
        info = SourceInfo(name="ticks", title="Ticks", aggregate=config)
        with self.engine.begin() as connection:
            told.configure(connection, info)

    def send(self, *ticks: Tick, **fields: Any) -> Receipt:
        return self.commit(*ticks, **fields).receipt

    def commit(self, *ticks: Tick, batch_id: str | None = None, received: float = 86_400, **fields: Any) -> Committed:
        self.sent += 1
        batch = Batch(
            source="ticks",
            run_id="run",
            batch_id=batch_id or f"batch-{self.sent}",
            entries=[
                Entry(
                    key=tick.key,
                    data={"symbol": tick.symbol, "price": tick.price, "volume": tick.volume},
                    observed_at=START + timedelta(seconds=tick.second),
                )
                for tick in ticks
            ],
            **fields,
        )
        submission = decode_submission(msgspec.json.encode(batch), received_at=START + timedelta(seconds=received))
        with self.engine.begin() as connection:
            return commit_batch(connection, submission, "epoch")

    def candles(self) -> dict[tuple[str, str, int], dict[str, Any]]:
        """(symbol, window, seconds after START) -> what its entry says; the table must say the same."""
        found = {}
        with self.engine.begin() as connection:
            told = dict(connection.execute(sa.select(entries.c.key, entries.c.data)).all())
            for row in connection.execute(sa.select(candles)).mappings():
                data = msgspec.json.decode(told[row["key"]])
                assert {name: data[name] for name in data if name != "start"} == {
                    name: row[name] for name in data if name != "start"
                }
                second = (row["start"] - int(START.timestamp() * 1000)) // 1000
                found[data["symbol"], data["window"], second] = data
        return found

    def forget_all(self) -> None:
        with self.engine.begin() as connection:
            for table in metadata.sorted_tables:
                if table.name not in ("meta", "sources"):
                    connection.execute(sa.delete(table))
            connection.execute(sa.update(sources).values(head=0, floor=0, present=0, as_of=None))


def oracle(ticks: set[Tick]) -> dict[tuple[str, str, int], dict[str, Any]]:
    """The candles of these ticks, one window after the other, all ticks each time."""
    grouped: dict[tuple[str, str, int], list[Tick]] = defaultdict(list)
    for tick in ticks:
        for window, seconds in WINDOWS.items():
            grouped[tick.symbol, window, int(tick.second // seconds * seconds)].append(tick)
    found = {}
    for key, members in grouped.items():
        members.sort(key=lambda tick: (tick.second, tick.number))
        prices = [Decimal(tick.price) for tick in members]
        found[key] = {
            "open": prices[0],
            "high": max(prices),
            "low": min(prices),
            "close": prices[-1],
            "count": len(prices),
            "sum": sum(prices),
            "volume": sum(tick.volume for tick in members),
        }
    return found


def numbers(data: dict[str, Any]) -> dict[str, Any]:
    exact = {name: Decimal(data[name]) for name in ("open", "high", "low", "close", "sum", "volume")}
    return {**exact, "count": data["count"]}


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    desk = Desk(database_url)
    yield desk
    desk.engine.dispose()


@pytest.fixture(scope="module")
def hypothetical(module_database_url: str) -> Iterator[Desk]:
    desk = Desk(module_database_url)
    yield desk
    desk.engine.dispose()


ticks = st.builds(
    Tick,
    symbol=st.sampled_from(["EURUSD", "A/B@c", "€"]),
    number=st.integers(1, 120),
    second=st.integers(0, 200).map(lambda n: n / 4 * 3),
    price=st.decimals("-10", "99999", places=4).map(lambda price: format(price, "f")),
    volume=st.integers(0, 1000),
)
streams = st.lists(ticks, min_size=1, max_size=60, unique_by=lambda tick: tick.key)


def test_candles_equal_the_oracle_whatever_comes_late_doubled_or_shuffled(hypothetical: Desk) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[hypothetical.engine.dialect.name])
    @given(stream=streams, order=st.randoms(use_true_random=False), size=st.integers(1, 20))
    def equal(stream: list[Tick], order: Any, size: int) -> None:
        hypothetical.forget_all()
        sent = stream + order.choices(stream, k=len(stream))
        order.shuffle(sent)
        for start in range(0, len(sent), size):
            piece = sent[start : start + size]
            first = hypothetical.send(*piece, batch_id=f"b-{start}")
            assert hypothetical.send(*piece, batch_id=f"b-{start}") == first
        assert {key: numbers(data) for key, data in hypothetical.candles().items()} == oracle(set(stream))
        with hypothetical.engine.begin() as connection:
            for source in ("ticks", "ticks.candles"):
                log = [change.offset for change in read.log(connection, source, 0, 10_000).changes]
                assert log == list(range(1, len(log) + 1))
                assert read.head(connection, source) == len(log)

    equal()


def test_one_change_a_candle_and_batch_told_with_the_batch(desk: Desk) -> None:
    committed = desk.commit(*(Tick("EURUSD", n, n / 10, "1.10", 1) for n in range(1, 51)))
    assert committed.candles is not None
    assert [(change.kind, change.key, change.topic) for change in committed.candles.changes] == [
        ("new", "EURUSD@2026-11-22T07:00:00Z/10s", "10s"),
        ("new", "EURUSD@2026-11-22T07:00:00Z/1m", "1m"),
    ]
    again = desk.commit(Tick("EURUSD", 51, 5.5, "1.20", 1))
    assert again.candles is not None
    assert (again.candles.after, again.candles.upto) == (2, 4)
    assert {msgspec.json.decode(change.was or "")["high"] for change in again.candles.changes} == {"1.10"}


def test_a_candle_is_closed_when_its_source_vouches_for_its_end(desk: Desk) -> None:
    desk.send(Tick("EURUSD", 1, 3, "1.1", 1), Tick("USDJPY", 1, 4, "150.2", 1))
    assert not any(data["closed"] for data in desk.candles().values())
    closing = desk.commit(Tick("EURUSD", 2, 12, "1.2", 1))
    assert closing.candles is not None
    closed = {key for key, data in desk.candles().items() if data["closed"]}
    assert closed == {("EURUSD", "10s", 0), ("USDJPY", "10s", 0)}
    assert len(closing.candles.changes) == 4  # two closed, one begun, one running
    late = desk.commit(Tick("USDJPY", 2, 9, "150.9", 1))
    assert late.candles is not None
    data = desk.candles()["USDJPY", "10s", 0]
    assert (data["closed"], data["close"], data["count"]) == (True, "150.9", 2)


def test_of_ticks_at_one_moment_the_higher_number_is_the_later(desk: Desk) -> None:
    desk.send(Tick("EURUSD", 10, 1, "10", 1))
    desk.send(Tick("EURUSD", 9, 1, "9", 1))
    data = desk.candles()["EURUSD", "10s", 0]
    assert (data["open"], data["close"]) == ("9", "10")


def test_what_is_no_number_is_no_tick_and_sums_are_exact(desk: Desk) -> None:
    desk.send(*(Tick("EURUSD", n, 1, "0.1", 1) for n in range(1, 11)), Tick("EURUSD", 11, 1, "1,5", 1))
    data = desk.candles()["EURUSD", "10s", 0]
    assert (data["sum"], data["count"]) == ("1.0", 10)


def test_a_changed_price_of_an_entry_is_a_tick_and_another_field_is_none(database_url: str) -> None:
    desk = Desk(database_url)
    with desk.engine.begin() as connection:
        told.configure(connection, SourceInfo(name="ticks", aggregate=Aggregate(field="price", windows=["1m"])))
    desk.send(Tick("SKU", 1, 1, "10", 1))
    desk.send(Tick("SKU", 1, 2, "12", 1))
    desk.send(Tick("SKU", 1, 3, "12", 2))
    data = desk.candles()["SKU-1", "1m", 0]
    desk.engine.dispose()
    assert (data["open"], data["close"], data["count"]) == ("10", "12", 2)


def test_forgotten_ticks_are_gone_unsaid_and_never_count_again(database_url: str) -> None:
    desk = Desk(database_url, retention=30)
    stream = [Tick("EURUSD", n, n / 10, "1.1", 1) for n in range(1, 2001)]
    for start in range(0, 2000, 100):
        desk.send(*stream[start : start + 100], received=start / 10 + 10)
    with desk.engine.begin() as connection:
        source = connection.execute(sa.select(sources).where(sources.c.name == "ticks")).one()
        kept = connection.execute(sa.select(sa.func.count()).where(entries.c.source == "ticks")).scalar_one()
        first = connection.execute(sa.select(sa.func.min(changes.c.offset)).where(changes.c.source == "ticks")).scalar()
        log = connection.execute(sa.select(changes.c.kind).where(changes.c.source == "ticks").distinct()).scalars()
        assert set(log) == {"new"}
        assert connection.execute(sa.select(sa.func.count()).select_from(batches)).scalar_one() == 4
        connection.execute(sa.delete(batches))  # a receipt that is no longer there: the content must protect itself
    assert (source.head, source.present, source.floor + 1) == (2000, kept, first)
    assert 300 <= kept <= 800
    counted = sum(data["count"] for data in desk.candles().values())
    again = desk.send(*stream)
    assert (again.new, again.late + again.unchanged) == (0, 2000)
    assert sum(data["count"] for data in desk.candles().values()) == counted == 2 * 2000
    desk.engine.dispose()


def test_the_log_of_candles_keeps_what_a_cursor_above_its_floor_needs(database_url: str) -> None:
    desk = Desk(database_url, keep=1200)
    for n in range(1, 1200):
        desk.send(Tick("EURUSD", n, n * 3, "1.1", 1))
    with desk.engine.begin() as connection:
        source = connection.execute(sa.select(sources).where(sources.c.name == "ticks.candles")).one()
        log = connection.execute(
            sa.select(changes.c.key, changes.c.offset).where(changes.c.source == "ticks.candles")
        ).all()
        there = connection.execute(
            sa.select(entries.c.key).where(entries.c.source == "ticks.candles").order_by(entries.c.offset)
        ).scalars()
        assert {key for key, _ in log} == set(there)
        caught_up = read.states(connection, "ticks.candles", source.floor, lambda *_: True, 10_000)
    below = [key for key, offset in log if offset <= source.floor]
    assert len(below) == len(set(below)), "of each candle one step below the floor"
    moved = {change.key for change in caught_up.changes if change.kind == "changed"}
    assert moved <= set(below)
    assert source.floor > 0
    starts = [second for _, window, second in desk.candles() if window == "10s"]
    assert 1200 <= max(starts) - min(starts) < 2400, "candles of the last twenty minutes, and what may go next"
    assert source.present == len(desk.candles())
    late = desk.send(Tick("EURUSD", 9999, 15, "9.9", 1))
    assert late.new == 1
    assert ("EURUSD", "10s", 10) not in desk.candles(), "a forgotten candle does not begin anew"
    desk.engine.dispose()


def test_nobody_else_delivers_candles(desk: Desk) -> None:
    batch = Batch(source="ticks.candles", run_id="r", batch_id="b", entries=[])
    submission = decode_submission(msgspec.json.encode(batch), received_at=START)
    with pytest.raises(Reserved, match="deliver to that one"), desk.engine.begin() as connection:
        commit_batch(connection, submission, "epoch")
    with pytest.raises(Reserved), desk.engine.begin() as connection:
        told.configure(connection, SourceInfo(name="ticks.candles"))
