"""Who writes: one writer for SQLite, which has one write lock, several for PostgreSQL, so that the server makes one
source's statements while the database works on another's."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import sqlalchemy as sa

from ingest_api.contract.errors import ContractError, Unavailable
from realtime.store.threads import log_cause
from realtime.store.writer import Writer

T = TypeVar("T")

WAITING = 1000  # operations that may wait; more are refused, and their senders keep them


class Writers:
    """Runs operations, those of a source in order, each whole or not at all.

    An operation goes to the writer that has one of its source already, so that they keep their order; else to the one
    with the least to do.
    """

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._writers = writers

    @property
    def waiting(self) -> int:
        return sum(writer.waiting for writer in self._writers)

    def do(self, operation: Callable[[sa.Connection], T], source: str = "") -> T:
        """The operation's result once its transaction is on disk. `source` names the one whose row it locks.

        Raises what the operation raised, Unavailable when the database is away, or Unstorable when it can never take
        this: then nothing was stored.
        """
        (outcome,) = self.do_all([(operation, source)])
        if isinstance(outcome, Exception):
            try:
                raise outcome
            finally:  # or it and this frame hold each other, and the batch, until somebody collects garbage
                del outcome
        return outcome

    def do_all(self, operations: Sequence[tuple[Callable[[sa.Connection], T], str]]) -> list[T | Exception]:
        """The same of several, each with its source, in as few transactions as may be; of one that failed its error."""
        if any(writer.is_telling for writer in self._writers):
            raise RuntimeError("who is told of a commit cannot wait for another one: spawn what writes")
        if self.waiting >= WAITING:
            return [Unavailable() for _ in operations]
        results = [self._writer_of(source).put(operation, source) for operation, source in operations]
        outcomes = [result.get() for result in results]
        for outcome in outcomes:
            if isinstance(outcome, ContractError):
                log_cause(outcome)
        return outcomes

    def close(self) -> None:
        """Finishes what waits, then lets the database go."""
        for writer in self._writers:
            writer.close()

    def _writer_of(self, source: str) -> Writer:
        for writer in self._writers:
            if source in writer.sources:
                return writer
        return min(self._writers, key=lambda writer: writer.sources.total())
