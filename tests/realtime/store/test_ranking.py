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
from realtime.store.ranking import LOOKED, Asked

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
        ranking.begin(connection, "shop", "price")
        after: str | None = ""
        while after is not None:
            after = ranking.read_in(connection, "shop", "price", after)
    yield engine, prices
    engine.dispose()


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
