"""What only PostgreSQL does to a writer: deadlocks, broken connections, restarts, failovers."""

import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest
import requests
import sqlalchemy as sa

from ingest_api.contract.errors import Unavailable
from realtime.errors import StoreBroken
from realtime.store.engine import open_engine
from realtime.store.schema import meta, sources
from realtime.store.store import Store
from realtime.store.threads import OtherLife
from realtime.store.write import locked_source, update_source
from tests.conftest import Server, eventually
from tests.reader import Reader
from tests.sending import post
from tests.servers import PostgresServer


@pytest.fixture
def stores(postgres_url: str) -> Iterator[tuple[Store, Store]]:
    """Two on one database, as two processes have them."""
    pair = Store(postgres_url, lambda _: None), Store(postgres_url, lambda _: None)
    yield pair
    for store in pair:
        store.close()


class Meeting:
    """Operations that meet in the middle of their first try, and only then."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self.tries = 0

    def here(self) -> None:
        self.tries += 1
        if self.tries <= 2:
            self._barrier.wait(timeout=30)


def moving(meeting: Meeting, first: str, second: str) -> Any:
    """Locks and moves two sources, with a meeting between."""

    def operation(connection: sa.Connection) -> None:
        one = locked_source(connection, first)
        meeting.here()
        for source in (one, locked_source(connection, second)):
            source.head += 1
            update_source(connection, source)

    return operation


def heads(connection: sa.Connection) -> dict[str, int]:
    return dict(connection.execute(sa.select(sources.c.name, sources.c.head)).all())  # type: ignore[arg-type]


def test_a_deadlock_is_run_again(stores: tuple[Store, Store]) -> None:
    meeting = Meeting()
    for name in "ab":
        stores[0].write(lambda connection, name=name: locked_source(connection, name))
    jobs = [
        gevent.spawn(store.write, moving(meeting, *names)) for store, names in zip(stores, ("ab", "ba"), strict=True)
    ]
    gevent.joinall(jobs, timeout=60, raise_error=True)
    assert stores[0].read(heads) == {"a": 2, "b": 2}
    assert meeting.tries > 2, "they did not meet in a deadlock"


def test_a_key_that_another_inserted_meanwhile_is_seen_by_the_second_try(stores: tuple[Store, Store]) -> None:
    meeting = Meeting()

    def once(connection: sa.Connection) -> str:
        there = connection.execute(sa.select(meta.c.value).where(meta.c.name == "once")).scalar()
        meeting.here()
        if there is None:
            connection.execute(sa.insert(meta).values(name="once", value="made"))
        return there or "made by me"

    jobs = [gevent.spawn(store.write, once) for store in stores]
    gevent.joinall(jobs, timeout=60, raise_error=True)
    assert sorted(job.value for job in jobs) == ["made", "made by me"]


def test_a_source_that_is_locked_elsewhere_holds_up_no_other_and_keeps_its_order(postgres_url: str) -> None:
    told: list[str] = []
    store = Store(postgres_url, told.append)

    def entered(connection: sa.Connection, name: str, number: int) -> str:
        locked_source(connection, name)
        return f"{name}{number}"

    with open_engine(postgres_url, writes=True).connect() as elsewhere:
        store.write(partial(entered, name="a", number=0), "a")
        with elsewhere.begin():
            locked_source(elsewhere, "a")
            waiting = [gevent.spawn(store.write, partial(entered, name="a", number=n), "a") for n in range(1, 20)]
            for number in range(20):
                for name in "bcdef":
                    store.write(partial(entered, name=name, number=number), name)
            assert not any(job.ready() for job in waiting)
        gevent.joinall(waiting, timeout=60, raise_error=True)
    store.close()
    assert [one for one in told if one[0] == "a"] == [f"a{number}" for number in range(20)]
    assert len(told) == 120


def test_a_serialization_failure_is_run_again(stores: tuple[Store, Store]) -> None:
    tries = []

    def unlucky(connection: sa.Connection) -> int:
        tries.append(1)
        if len(tries) < 3:
            connection.execute(sa.text("DO $$ BEGIN RAISE serialization_failure; END $$"))
        return len(tries)

    assert stores[0].write(unlucky) == 3


def test_a_connection_that_broke_is_opened_again(stores: tuple[Store, Store], postgres: PostgresServer) -> None:
    def named(connection: sa.Connection, name: str) -> None:
        connection.execute(sa.insert(meta).values(name=name, value="x"))

    store, _ = stores
    store.write(lambda connection: named(connection, "before"))
    assert store.read(heads) == {}
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portalwire'")
    store.write(lambda connection: named(connection, "after"))
    names = store.read(lambda c: set(c.execute(sa.select(meta.c.name)).scalars()))
    assert names >= {"before", "after"}


def test_a_connection_that_breaks_at_the_commit_stores_a_batch_once(
    stores: tuple[Store, Store], postgres: PostgresServer
) -> None:
    """The worst moment: the transaction is run again as a whole, so it must ask first whether it was done."""
    tries = []

    def cut_off(connection: sa.Connection) -> None:
        source = locked_source(connection, "a")
        source.head += 1
        update_source(connection, source)
        tries.append(1)
        if len(tries) == 1:
            pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            postgres.execute(f"SELECT pg_terminate_backend({pid})")

    stores[0].write(cut_off)
    assert stores[0].read(heads) == {"a": 1}
    assert len(tries) == 2


def test_away_is_said_at_once_and_ends_with_its_return(stores: tuple[Store, Store], postgres: PostgresServer) -> None:
    store, _ = stores
    store.write(lambda connection: locked_source(connection, "a"))
    postgres.kill()
    jobs = [gevent.spawn(store.write, lambda connection: locked_source(connection, "b")) for _ in range(100)]
    gevent.joinall(jobs, timeout=30)
    assert all(isinstance(job.exception, Unavailable) for job in jobs)
    with pytest.raises(Unavailable):
        store.read(heads)
    postgres.start()
    store.write(lambda connection: locked_source(connection, "c"))
    assert set(store.read(heads)) == {"a", "c"}


def test_a_server_answers_503_while_postgresql_is_away_and_loses_nothing(
    tmp_path: Path, postgres_url: str, postgres: PostgresServer
) -> None:
    server = Server(tmp_path, {"PORTALWIRE_DATABASE_URL": postgres_url})
    server.start()
    try:
        with Reader(server.url) as reader:
            post(server.url, "vendor_x", {"a": {"n": 1}})
            reader.join("vendor_x")
            postgres.kill()
            batch = {"source": "vendor_x", "run_id": "r", "batch_id": "r-0", "entries": [{"key": "b", "data": {}}]}
            away = requests.post(f"{server.url}/api/entries", json=batch, timeout=60)
            assert (away.status_code, away.json()["error"]["code"]) == (503, "unavailable")
            assert int(away.headers["Retry-After"]) > 0
            assert requests.get(f"{server.url}/readyz", timeout=60).status_code == 503
            assert requests.get(f"{server.url}/healthz", timeout=60).status_code == 200
            postgres.start()
            again = eventually(lambda: _taken(server.url, batch))
            assert again["offset"] == 2
            reader.reach("vendor_x", 2)
            assert reader.violations == []
            assert set(reader.entries["vendor_x"]) == {"a", "b"}
    finally:
        server.stop()


def test_a_server_whose_database_was_replaced_ends_and_is_another_epoch_afterwards(
    tmp_path: Path, postgres_url: str, postgres: PostgresServer
) -> None:
    server = Server(tmp_path, {"PORTALWIRE_DATABASE_URL": postgres_url})
    server.start()
    try:
        before = post(server.url, "vendor_x", {"a": {"n": 1}})["epoch"]
        restore(postgres, postgres_url)
        assert server.wait() == 3
        server.start()
        with Reader(server.url) as reader:
            answer = reader.join("vendor_x", since=1, epoch=before)
            assert answer["epoch"] != before
            reader.wait(lambda: reader.resets == ["vendor_x"] and set(reader.entries["vendor_x"]) == {"a"})
    finally:
        server.stop()


def _taken(url: str, batch: dict[str, Any]) -> dict[str, Any]:
    answer = requests.post(f"{url}/api/entries", json=batch, timeout=60)
    receipt: dict[str, Any] = answer.json() if answer.ok else {}
    return receipt


def test_a_database_that_cannot_be_opened_is_told_in_words(postgres: PostgresServer, postgres_url: str) -> None:
    with pytest.raises(StoreBroken, match="does not exist"):
        Store(f"{postgres_url}_gone", lambda _: None)


def test_another_database_in_its_place_is_another_epoch(postgres: PostgresServer, postgres_url: str) -> None:
    """What a restore does: the same content under the same name."""
    store = Store(postgres_url, lambda _: None)
    store.write(lambda connection: locked_source(connection, "a"))
    restore(postgres, postgres_url)
    with pytest.raises(OtherLife):
        store.write(lambda connection: locked_source(connection, "b"))
    again = Store(postgres_url, lambda _: None)
    assert again.epoch.split("-")[0] == store.epoch.split("-")[0], "the content is the same"
    assert again.epoch != store.epoch
    for each in (store, again):
        each.close()


def restore(postgres: PostgresServer, url: str) -> None:
    """Puts another database with the same content in its place."""
    name = url.rpartition("/")[2]
    for statement in (
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        f"CREATE DATABASE {name}_restored TEMPLATE {name} OWNER portalwire",
        f"DROP DATABASE {name} WITH (FORCE)",
        f"ALTER DATABASE {name}_restored RENAME TO {name}",
    ):
        postgres.execute(statement)


def test_a_promoted_standby_is_another_epoch(postgres: PostgresServer, postgres_url: str) -> None:
    def epoch(url: str) -> str:
        store = Store(url, lambda _: None)
        store.close()
        return store.epoch

    before = epoch(postgres_url)
    assert epoch(postgres_url) == before
    with tempfile.TemporaryDirectory(prefix="portalwire-pg-") as folder:
        standby = postgres.standby(Path(folder))
        standby.execute("SELECT pg_promote()")
        after = epoch(postgres_url.replace(f":{postgres.port}/", f":{standby.port}/"))
        standby.kill()
    assert after != before
