"""The one writer: a native thread that runs what is waiting as one transaction, so that many small batches share the
cost of one commit to disk."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gevent
import sqlalchemy as sa
from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from ingest_api.contract.errors import Unavailable
from realtime.store.threads import KeptConnection

T = TypeVar("T")
Operation = Callable[[sa.Connection], Any]

GROUP = 64  # operations of one transaction
WAITING = 1000  # operations that may wait; more are refused, and their senders keep them
TRIES = 3  # of a transaction that lost to another one


class Writer:
    """Runs operations in order, each whole or not at all. `told` is called with every result, in the order of the
    commits and after them, before whoever waits for it goes on."""

    def __init__(self, engine: sa.Engine, told: Callable[[Any], None], took: Callable[[float], None]) -> None:
        self._engine = engine
        self._told = told
        self._took = took
        self._waiting: deque[tuple[Operation, AsyncResult]] = deque()
        self._pool = ThreadPool(1)
        self._kept = KeptConnection(engine)
        self._draining: gevent.Greenlet | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def do(self, operation: Callable[[sa.Connection], T]) -> T:
        """The operation's result once its transaction is on disk.

        Raises what the operation raised, or Unavailable when the database does not take it: then nothing was stored.
        """
        if len(self._waiting) >= WAITING:
            raise Unavailable
        result = AsyncResult()
        self._waiting.append((operation, result))
        if self._draining is None:
            self._draining = gevent.spawn(self._drain)
        value: T = result.get()
        return value

    def close(self) -> None:
        """Finishes what waits, then lets the database go."""
        if self._draining is not None:
            self._draining.join()
        self._pool.kill()
        self._kept.close()

    def _drain(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            began = time.perf_counter()
            outcomes = self._pool.apply(self._commit, ([operation for operation, _ in group],))
            self._took(time.perf_counter() - began)
            for (_, result), outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    result.set_exception(outcome)
                else:
                    self._told(outcome)
                    result.set(outcome)
        self._draining = None

    def _commit(self, operations: Sequence[Operation]) -> list[Any]:
        """Runs in the writer's thread. One transaction for all; when it fails, one for each, so that whoever is to
        blame fails alone."""
        try:
            with self._kept.transaction() as connection:
                return [operation(connection) for operation in operations]
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it, below
            self._kept.check(error)
        return [self._alone(operation) for operation in operations]

    def _alone(self, operation: Operation) -> Any:
        """The operation's result, or the exception that its caller gets."""
        for _ in range(TRIES):
            try:
                with self._kept.transaction() as connection:
                    return operation(connection)
            except sa.exc.SQLAlchemyError as error:
                self._kept.check(error)
                refusal = Unavailable(f"the store is away ({type(error).__name__}): send the same again")
                refusal.__cause__ = error
            except Exception as error:  # noqa: BLE001 - whoever waits gets it; the neighbours go on
                return error
        return refusal
