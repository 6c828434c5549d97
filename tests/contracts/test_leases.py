"""A lease is one process's: on both databases."""

from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa

from realtime.store import leases
from realtime.store.engine import migrate, open_engine


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(database_url, writes=True)
    migrate(engine)
    with engine.connect() as connection:
        yield connection


def take(connection: sa.Connection, seen: leases.Beat | None, holder: str) -> leases.Beat | None:
    with connection.begin():
        return leases.take(connection, "clock", seen, holder, at=1)


def test_of_two_that_take_it_at_once_one_has_it(connection: sa.Connection) -> None:
    first = take(connection, None, "one")
    assert first is not None
    assert take(connection, None, "other") is None
    second = take(connection, first, "other")
    assert second is not None
    assert second.term == first.term + 1
    assert take(connection, first, "one") is None


def test_who_lost_it_beats_no_more(connection: sa.Connection) -> None:
    mine = take(connection, None, "one")
    assert mine is not None
    beat = partial(leases.beat, connection, "clock", at=2)
    with connection.begin():
        mine = beat(mine)
    assert mine is not None
    assert mine.number == 1
    theirs = take(connection, mine, "other")
    with connection.begin():
        assert beat(mine) is None
        assert beat(theirs) is not None
