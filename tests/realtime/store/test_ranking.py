"""Top lists of the store, beside a brute-force oracle."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest
import sqlalchemy as sa

from ingest_api.contract import Batch, Entry
from ingest_api.contract.wire import decode_submission
from realtime.store import ranking
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.ranking import FIELDS, LOOKED, Asked, TooManyFields
from realtime.store.schema import numbers, sources

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MANY = 3 * LOOKED


@pytest.fixture
def shop(database_url: str) -> Iterator[tuple[sa.Engine, dict[str, int]]]:
    """A database with many entries of one source, and their prices."""
    engine = open_engine(database_url, writes=True)
    migrate(engine)
    chance = random.Random(7)
    prices = {f"k{n}": chance.randrange(MANY // 2) for n in range(MANY)}
    entries = [Entry(key=key, data={"price": price}, observed_at=NOW) for key, price in prices.items()]
    batch = Batch(source="shop", run_id="r", batch_id="b", entries=entries)
    submission = decode_submission(msgspec.json.encode(batch), received_at=NOW)
    with engine.begin() as connection:
        commit_batch(connection, submission, "epoch")
        rank(connection, "price", 1)
    yield engine, prices
    engine.dispose()


def rank(connection: sa.Connection, field: str, at: int) -> None:
    since, whole = ranking.ask(connection, "shop", field, at)
    after: str | None = None if whole else ""
    while after is not None:
        after = ranking.read_in(connection, "shop", field, after, since)


@pytest.mark.parametrize("limit", [1, 7, 200])
@pytest.mark.parametrize("down", [True, False])
def test_a_rare_match_is_found_wherever_it_is(shop: tuple[sa.Engine, dict[str, int]], down: bool, limit: int) -> None:
    engine, prices = shop
    order = sorted(((price, key) for key, price in prices.items()), reverse=down)
    for step in (1, 97, 1100, MANY - 1):
        wanted = {key for _, key in order[step - 1 :: step]}
        asked = question(lambda key, _topic, _data, wanted=wanted: key in wanted, down, limit)
        with engine.begin() as connection:
            found = ranking.top(connection, asked, within=60)
        assert [item.key for item in found.items] == [key for _, key in order if key in wanted][:limit]
        assert found.partial is False


def test_who_could_not_look_at_all_says_so(shop: tuple[sa.Engine, dict[str, int]]) -> None:
    engine, _ = shop
    with engine.begin() as connection:
        nothing = partial(ranking.top, connection, within=0)
        assert nothing(question(lambda *_: False, True, 10)).partial is True
        assert nothing(question(lambda *_: True, True, 10)).partial is False
        assert nothing(question(lambda *_: True, True, MANY + 1)).partial is False


def question(matches: ranking.Matches, down: bool, limit: int) -> Asked:
    return Asked(source="shop", topic=None, by="price", down=down, limit=limit, matches=matches)


def test_one_field_more_takes_the_place_of_the_one_that_nobody_asked_for_longest(
    shop: tuple[sa.Engine, dict[str, int]],
) -> None:
    engine, _ = shop
    asked = question(lambda *_: True, True, 1)
    with engine.begin() as connection:
        for number in range(1, FIELDS):
            rank(connection, f"f{number}", 1 + number)
        rank(connection, "price", 100)
        rank(connection, "one more", 101)
        assert ranking.top(connection, asked).items
        assert not ranking.is_whole(connection, "shop", "f1")
        assert ranking.is_whole(connection, "shop", "f2")
        for number in range(FIELDS):
            rank(connection, f"g{number}", 200 + number)
        assert connection.execute(sa.select(sa.func.count()).select_from(numbers)).scalar() == 0
        with pytest.raises(TooManyFields):
            ranking.top(connection, asked)
        rank(connection, "price", 300)
        assert ranking.top(connection, asked).items


def test_who_reads_in_what_was_let_go_makes_nothing_whole(shop: tuple[sa.Engine, dict[str, int]]) -> None:
    engine, _ = shop
    with engine.begin() as connection:
        since, _ = ranking.ask(connection, "shop", "slow", 2)
        after = ranking.read_in(connection, "shop", "slow", "", since)
        for number in range(FIELDS):
            ranking.ask(connection, "shop", f"f{number}", 3 + number)
        ranking.ask(connection, "shop", "slow", 50)
        with pytest.raises(TooManyFields):
            ranking.read_in(connection, "shop", "slow", after or "", since)
        assert not ranking.is_whole(connection, "shop", "slow")


def test_fields_of_an_earlier_version_are_the_first_to_go(shop: tuple[sa.Engine, dict[str, int]]) -> None:
    engine, _ = shop
    with engine.begin() as connection:
        earlier = msgspec.json.encode({f"f{number}": True for number in range(FIELDS)}).decode()
        connection.execute(sa.update(sources).values(ranked=earlier, asked=None))
        assert ranking.ask(connection, "shop", "f0", 5) == (0, True)
        rank(connection, "price", 6)
        assert [ranking.is_whole(connection, "shop", field) for field in ("f0", "f1", "price")] == [True, False, True]
