"""The store as the rest of the server sees it: write, read, epoch."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from realtime.store.engine import migrate, open_engine
from realtime.store.epoch import end_life, epoch_of, standing_epoch
from realtime.store.outage import Outage
from realtime.store.threads import KeptConnection, OtherLife, Readers
from realtime.store.witness import Witness
from realtime.store.writer import Writer
from realtime.store.writers import Writers

T = TypeVar("T")

WRITERS = 4  # connections that write to PostgreSQL; SQLite has one write lock


def _unmeasured(_seconds: float) -> None:
    """Nobody measures."""


def _uncounted() -> None:
    """Nobody counts."""


class Store:
    """An open database. Both calls block the calling greenlet, never the event loop; when it is away, and when it is
    back, is logged here and nowhere else.

    `told` is called with the result of every write, in the order of the commits; `took` with the seconds of each;
    `asked` at every read.
    """

    def __init__(
        self,
        url: str,
        told: Callable[[Any], None],
        took: Callable[[float], None] = _unmeasured,
        asked: Callable[[], None] = _uncounted,
    ) -> None:
        engine = open_engine(url, writes=True)
        migrate(engine)
        self._witness = Witness(Path(engine.url.database or "")) if engine.dialect.name == "sqlite" else None
        with engine.begin() as connection:
            if self._witness is not None and self._witness.contradicts(connection):
                end_life(connection)
            self.epoch = epoch_of(connection)
        count = 1 if engine.dialect.name == "sqlite" else WRITERS
        each = (KeptConnection(engine, self._known, self._witness) for _ in range(count))
        self._writers = Writers([Writer(kept, told, took) for kept in each])
        self._asked = asked
        self._outage = Outage()
        self._readers = Readers(open_engine(url, writes=False), self._known)

    def _known(self, connection: sa.Connection) -> None:
        """A connection that was opened again may lead to another database: a restored one, a promoted standby."""
        if standing_epoch(connection) != self.epoch:
            raise OtherLife

    def write(self, operation: Callable[[sa.Connection], T], source: str = "") -> T:
        """See Writers.do."""
        with self._outage.watched():
            return self._writers.do(operation, source)

    def write_all(self, operations: Sequence[tuple[Callable[[sa.Connection], T], str]]) -> list[T | Exception]:
        """See Writers.do_all."""
        outcomes = self._writers.do_all(operations)
        for outcome in outcomes:
            self._outage.met(outcome)
        return outcomes

    @property
    def waiting(self) -> int:
        """Writes that wait for a writer."""
        return self._writers.waiting

    def read(self, query: Callable[[sa.Connection], T]) -> T:
        """See Readers.read."""
        self._asked()
        with self._outage.watched():
            return self._readers.read(query)

    def aside(self, work: Callable[[], T]) -> T:
        """See Readers.aside."""
        return self._readers.aside(work)

    def close(self) -> None:
        self._writers.close()
        self._readers.close()
        if self._witness is not None:
            self._witness.close()
