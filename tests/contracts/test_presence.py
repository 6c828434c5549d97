"""Who is where, on both databases: by name, over windows and processes, and many at once with few statements."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from realtime.store import presence
from realtime.store.engine import migrate, open_engine
from realtime.store.presence import LIVES, Left

NOW = 1_800_000_000_000  # milliseconds


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(database_url, writes=True)
    migrate(engine)
    with engine.connect() as connection, connection.begin():
        yield connection


def enter(connection: sa.Connection, room: str, sid: str, name: str, process: str = "p", at: int = NOW) -> bool:
    return presence.enter(connection, room, sid, process, name, at)


def test_a_name_is_there_as_long_as_one_of_its_windows(connection: sa.Connection) -> None:
    assert enter(connection, "x", "s1", "ann")
    assert not enter(connection, "x", "s2", "ann")
    assert enter(connection, "y", "s1", "ann")
    assert enter(connection, "x", "s3", "bob")
    assert presence.people(connection, "x", NOW) == ["ann", "bob"]
    assert presence.leave(connection, "x", "s1", NOW) == []
    assert presence.leave(connection, "x", "s2", NOW) == [Left("x", "ann")]
    assert presence.leave(connection, "x", "s2", NOW) == []
    assert presence.people(connection, "y", NOW) == ["ann"]


def test_clients_that_are_gone_leave_all_their_rooms(connection: sa.Connection) -> None:
    for room in ("x", "y"):
        for sid, name in (("s1", "ann"), ("s2", "bob"), ("s3", "ann")):
            enter(connection, room, sid, name)
    assert presence.drop(connection, ["s1", "s2", "nobody"], NOW) == [Left("x", "bob"), Left("y", "bob")]
    assert presence.drop(connection, ["s3"], NOW) == [Left("x", "ann"), Left("y", "ann")]
    assert presence.people(connection, "x", NOW) == []


def test_people_of_a_process_that_is_silent_are_gone(connection: sa.Connection) -> None:
    enter(connection, "x", "s1", "ann", "dead")
    enter(connection, "x", "s2", "bob", "dead")
    enter(connection, "x", "s3", "bob", "living")
    later = NOW + LIVES + 1
    assert presence.beat(connection, "living", later) == [Left("x", "ann")]
    assert presence.people(connection, "x", later) == ["bob"]


def test_a_process_that_dies_with_many_costs_a_few_statements(connection: sa.Connection) -> None:
    for number in range(300):
        enter(connection, "x", f"d{number}", f"dead {number}", "dead")
        enter(connection, f"room {number}", f"l{number}", f"living {number}", "living")
    statements: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(presence.beat(connection, "living", NOW + LIVES + 1)) == 300
    assert len(statements) <= 3
