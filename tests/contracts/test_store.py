"""The store's threads and its schema, on both databases."""

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ingest_api.contract.errors import ContractError, Unavailable
from realtime.errors import BadSettings
from realtime.store.engine import migrate, open_engine
from realtime.store.refusal import Unstorable
from realtime.store.schema import meta, metadata, sources
from realtime.store.store import Store


def put(name: str, value: str | None) -> Any:
    def operation(connection: sa.Connection) -> str:
        connection.execute(sa.insert(meta).values(name=name, value=value))
        return name

    return operation


def move(connection: sa.Connection, head: int) -> None:
    connection.execute(sa.delete(sources))
    connection.execute(sa.insert(sources).values(name="v", head=head))


def names(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.select(meta.c.name)).scalars()) - {"life"}


@pytest.fixture
def told() -> list[Any]:
    return []


@pytest.fixture
def store(database_url: str, told: list[Any]) -> Any:
    store = Store(database_url, told.append)
    yield store
    store.close()


def test_writes_that_arrive_together_are_told_in_order_and_a_bad_one_fails_alone(store: Store, told: list[Any]) -> None:
    def refused(_connection: sa.Connection) -> None:
        raise ContractError("not this one")

    def broken(_connection: sa.Connection) -> None:
        raise ZeroDivisionError

    operations = [put(f"n{n}", "x") for n in range(20)]
    operations[5:5] = [refused, broken, put("n1", "twice")]
    jobs = [gevent.spawn(store.write, operation) for operation in operations]
    gevent.joinall(jobs)
    failed = [type(job.exception) for job in jobs if job.exception]
    assert failed == [ContractError, ZeroDivisionError, Unstorable]
    assert told == [f"n{n}" for n in range(20)]
    assert store.read(names) == {f"n{n}" for n in range(20)}


def test_what_the_database_can_never_take_is_not_called_away(store: Store) -> None:
    def into_a_table_that_is_not_there(connection: sa.Connection) -> None:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (1)"))

    for operation, refusal in (
        (put("life", "twice"), Unstorable),
        (put("none", None), Unstorable),
        (into_a_table_that_is_not_there, Unavailable),  # somebody may bring it back
    ):
        with pytest.raises(refusal) as told:
            store.write(operation)
        assert not re.search(r"Error|INSERT|meta|nowhere", told.value.message), "what the database said is for the log"
    if "postgresql" in store_dialect(store):
        for value in ("n" * 50, "\x00"):
            with pytest.raises(Unstorable):
                store.write(put(value, "x"))
            with pytest.raises(Unstorable):
                store.read(partial(holds, value=value))
    assert store.write(put("next", "x")) == "next"


def holds(connection: sa.Connection, value: str) -> bool:
    """Fails for what PostgreSQL takes for no text, or for no number."""
    return bool(
        connection.scalar(sa.text("SELECT CAST(:value AS text) = '' OR CAST(:value AS int) = 0"), {"value": value})
    )


def store_dialect(store: Store) -> str:
    return str(store.read(lambda connection: connection.dialect.name))


def test_an_operation_that_fails_leaves_nothing(store: Store) -> None:
    def half(connection: sa.Connection) -> None:
        put("half", "x")(connection)
        raise ContractError

    with pytest.raises(ContractError):
        store.write(half)
    assert store.read(names) == set()


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable):
        store.read(put("x", "y"))


def test_the_epoch_stays_with_its_file_and_ends_with_a_copy(tmp_path: Path) -> None:
    def epoch(path: Path) -> str:
        store = Store(f"sqlite:///{path}", lambda _: None)
        store.close()
        return store.epoch

    first = tmp_path / "a.db"
    assert epoch(first) == epoch(first)
    copy = tmp_path / "b.db"
    copy.write_bytes(first.read_bytes())
    assert epoch(copy) != epoch(first)


def test_an_older_copy_in_the_place_of_a_database_is_another_epoch(tmp_path: Path) -> None:
    path = tmp_path / "a.db"

    def epoch(offset: int | None = None) -> str:
        store = Store(f"sqlite:///{path}", lambda _: None)
        if offset is not None:
            store.write(lambda connection: move(connection, offset))
        store.close()
        return store.epoch

    born = epoch(5)
    older = path.read_bytes()
    assert epoch(9) == born
    assert epoch() == born
    path.write_bytes(older)  # into the same file
    second = epoch(9)
    assert second != born
    assert epoch() == second


def test_a_witness_that_cannot_write_undoes_no_commit(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'a.db'}", lambda _: None)
    assert store._witness is not None
    done = []

    def operation(connection: sa.Connection) -> None:
        move(connection, 7)
        done.append(7)

    with (tmp_path / "a.db-witness").open("rb") as unwritable:
        os.dup2(unwritable.fileno(), store._witness._file)
    store.write(operation)
    store.close()
    assert done == [7], "it is not taken for one that failed, and done again"


def test_the_migrations_make_the_schema(database_url: str) -> None:
    engine = open_engine(database_url, writes=True)
    migrate(engine)
    migrate(engine)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        difference = [d for d in compare_metadata(context, metadata) if "alembic_version" not in str(d)]
    engine.dispose()
    assert difference == []


def test_words_have_the_same_order_in_a_database_of_any_language(postgres_url: str) -> None:
    """A language's order is slower, not Python's, and an update of the system changes it under the indexes."""
    engine = open_engine(postgres_url, writes=True)
    migrate(engine)
    asked = """
        SELECT table_name, column_name, collation_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name <> 'alembic_version'
    """
    with engine.begin() as connection:
        rows = connection.execute(sa.text(asked)).all()
    engine.dispose()
    found = {(table, column) for table, column, collation in rows if collation == "C"}
    assert found == {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if type(column.type) is sa.String
    }


def test_sqlite_is_durable_and_new_enough(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'm.db'}", writes=True)
    with engine.connect() as connection:
        driver: Any = connection.connection
        assert driver.execute("PRAGMA synchronous").fetchone() == (2,)
        assert driver.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        version = tuple(int(part) for part in driver.execute("SELECT sqlite_version()").fetchone()[0].split("."))
    engine.dispose()
    assert version > (3, 51, 2), "a SQLite with the WAL-reset bug"


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_wrong_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadSettings, match="PORTALWIRE_DATABASE_URL"):
        open_engine(url, writes=True)


def test_who_is_told_may_fail_and_nobody_waits_for_it(database_url: str) -> None:
    heard: list[Any] = []

    def failing(result: Any) -> None:
        heard.append(result)
        raise KeyError("it was there a moment ago")

    store = Store(database_url, failing)
    assert [store.write(put(name, "x")) for name in ("a", "b")] == ["a", "b"]
    assert heard == ["a", "b"]
    store.close()


def test_who_is_told_cannot_wait_for_another_write(database_url: str) -> None:
    refused: list[str] = []

    def writing(_result: Any) -> None:
        with pytest.raises(RuntimeError) as error:
            store.write(put("more", "x"))
        refused.append(str(error.value))

    store = Store(database_url, writing)
    assert store.write(put("a", "x")) == "a"
    assert len(refused) == 1
    store.close()
