"""Connections for gevent's native threads: each thread keeps its own, so that no lock is shared with the event loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from gevent import monkey
from gevent.threadpool import ThreadPool

from ingest_api.contract.errors import Unavailable
from realtime.store.postgres import lost_to_another
from realtime.store.refusal import cause, refusal
from realtime.store.witness import Witness

T = TypeVar("T")
_ThreadLocal: Any = monkey.get_original("_thread", "_local")  # gevent's own would be local to a greenlet

READERS = 4  # threads


log = structlog.get_logger()


class NotConnected(Unavailable):
    """The store is away: nothing was accepted, send the same again."""


class OtherLife(NotConnected):
    """The database was replaced by another one, or went over to a standby: this server ends, start it again."""


def _as_it_is(_connection: sa.Connection) -> None:
    """Any database will do."""


class KeptConnection:
    """A connection that is opened at first use and again after it broke. `known` may refuse where it leads to; the
    witness is told what was committed."""

    def __init__(
        self,
        engine: sa.Engine,
        known: Callable[[sa.Connection], None] = _as_it_is,
        witness: Witness | None = None,
    ) -> None:
        self._engine = engine
        self._known = known
        self._witness = witness
        self._connection: sa.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Raises NotConnected when there is no connection to be had."""
        if self._connection is None:
            self._connection = self._open()
        with self._connection.begin():
            yield self._connection
            heads = self._witness.look(self._connection) if self._witness is not None else 0
        if self._witness is not None:
            self._witness.keep(heads)

    def check(self, error: Exception) -> None:
        """Lets the connection go when `error` is the database's, and not one of what it was told to take."""
        if isinstance(error, sa.exc.DBAPIError) and isinstance(refusal(error), Unavailable):
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sa.Connection:
        try:
            connection = self._engine.connect()
        except sa.exc.DBAPIError as error:
            raise NotConnected from error
        try:
            with connection.begin():
                self._known(connection)
        except Exception as error:
            connection.close()
            raise error if isinstance(error, NotConnected) else NotConnected() from error
        return connection


class Readers:
    """Runs queries off the event loop, each in a read transaction."""

    def __init__(self, engine: sa.Engine, known: Callable[[sa.Connection], None] = _as_it_is) -> None:
        self._engine = engine
        self._known = known
        self._pool = ThreadPool(READERS)
        self._mine = _ThreadLocal()
        self._all: list[KeptConnection] = []

    def read(self, query: Callable[[sa.Connection], T]) -> T:
        """The query's result. Raises Unavailable when the database does not answer."""
        return self._in_thread(partial(self._run, query))

    def aside(self, work: Callable[[], T]) -> T:
        """The work's result; while it computes, the event loop goes on."""
        return self._in_thread(work)

    def close(self) -> None:
        self._pool.kill()
        for kept in self._all:
            kept.close()

    def _in_thread(self, work: Callable[[], T]) -> T:
        value, error = self._pool.apply(_tried, (work,))
        if error is not None:
            log_cause(error)
            try:
                raise error
            finally:  # or it and this frame hold each other, and all that was read, until somebody collects garbage
                del error
        result: T = value
        return result

    def _run(self, query: Callable[[sa.Connection], T]) -> T:
        kept = getattr(self._mine, "kept", None)
        if kept is None:
            kept = self._mine.kept = KeptConnection(self._engine, self._known)
            self._all.append(kept)
        try:
            return self._on(kept, query)
        except sa.exc.SQLAlchemyError as error:
            if not lost_to_another(error):
                raise refusal(error) from error
        try:
            return self._on(kept, query)  # on a connection of this moment
        except sa.exc.SQLAlchemyError as error:
            raise refusal(error) from error

    def _on(self, kept: KeptConnection, query: Callable[[sa.Connection], T]) -> T:
        try:
            with kept.transaction() as connection:
                return query(connection)
        except sa.exc.SQLAlchemyError as error:
            kept.check(error)
            raise


def log_cause(error: Exception) -> None:
    """Says what the database said. On the event loop: a log's lock is not for native threads."""
    said = None if isinstance(error, NotConnected) else cause(error)
    if said is not None:
        log.error("statement failed", code=getattr(error, "code", None), **said)


def _tried(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """The work's result, or what it raised: gevent prints what is raised in its threads, though somebody takes it."""
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001 - raised again where it was asked for
        return None, error
