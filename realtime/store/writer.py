"""A writer: a native thread that runs what is waiting as one transaction, so that many small batches share the cost of
one commit to disk."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import gevent
import sqlalchemy as sa
import structlog
from gevent import monkey
from gevent.event import AsyncResult
from gevent.threadpool import ThreadPool

from realtime.store.postgres import lost_to_another
from realtime.store.refusal import may_pass, refusal
from realtime.store.threads import KeptConnection, NotConnected

Operation = Callable[[sa.Connection], Any]

GROUP = 64  # operations of one transaction
TRIES = 3  # of a transaction that lost to another one
ASIDE = 0.02  # seconds it waits at most before the second
log = structlog.get_logger()
_sleep: Any = monkey.get_original("time", "sleep")


class _Waiting(NamedTuple):
    source: str
    operation: Operation
    result: AsyncResult


class Writer:
    """Runs operations, those of a source in order, each whole or not at all. `told` is called with every result, in the
    order of the commits and after them, before whoever waits for it goes on."""

    def __init__(self, kept: KeptConnection, told: Callable[[Any], None], took: Callable[[float], None]) -> None:
        self._told = told
        self._took = took
        self._waiting: deque[_Waiting] = deque()
        self._pool = ThreadPool(1)
        self._kept = kept
        self._draining: gevent.Greenlet | None = None
        self.sources: Counter[str] = Counter()  # of the operations that wait or run

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def is_telling(self) -> bool:
        """Whether the caller is told of a commit just now."""
        return gevent.getcurrent() is self._draining

    def put(self, operation: Operation, source: str) -> AsyncResult:
        """Will be the operation's result, or its error, once its transaction is on disk."""
        result = AsyncResult()
        self._waiting.append(_Waiting(source, operation, result))
        self.sources[source] += 1
        if self._draining is None:
            self._draining = gevent.spawn(self._drain)
        return result

    def close(self) -> None:
        """Finishes what waits, then lets the database go."""
        if self._draining is not None:
            self._draining.join()
        self._pool.kill()
        self._kept.close()

    def _drain(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
                group.sort(key=attrgetter("source"))  # all processes lock in this order: none waits in a circle
                self._run(group)
        finally:
            self._draining = None

    def _run(self, group: Sequence[_Waiting]) -> None:
        began = time.perf_counter()
        outcomes = self._pool.apply(self._commit, ([waiting.operation for waiting in group],))
        self._took(time.perf_counter() - began)
        for (_, _, result), outcome in zip(group, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                try:
                    self._told(outcome)
                except Exception:
                    log.exception("telling failed")  # it is committed: followers find it when they compare heads
            result.set(outcome)
        self.sources -= Counter(waiting.source for waiting in group)  # after the telling, which has its order too

    def _commit(self, operations: Sequence[Operation]) -> list[Any]:
        """Runs in the writer's thread. One transaction for all; when it fails, one for each, so that whoever is to
        blame fails alone."""
        for number in range(TRIES):
            try:
                with self._kept.transaction() as connection:
                    return [operation(connection) for operation in operations]
            except NotConnected as error:
                return [error for _ in operations]
            except Exception as error:  # noqa: BLE001 - told to whoever waits for it, below
                self._kept.check(error)
                if not lost_to_another(error):
                    break
                _step_aside(number)
        return [self._alone(operation) for operation in operations]

    def _alone(self, operation: Operation) -> Any:
        """The operation's result, or the exception that its caller gets."""
        for number in range(TRIES):
            try:
                with self._kept.transaction() as connection:
                    return operation(connection)
            except sa.exc.SQLAlchemyError as error:
                self._kept.check(error)
                refused = refusal(error)
                refused.__cause__ = error
                if not may_pass(error):
                    break
                _step_aside(number)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it; the neighbours go on
                return error
        return refused


def _step_aside(number: int) -> None:
    """Waits a little, in this native thread, each time longer, so that two who met do not meet again."""
    _sleep(random.uniform(0, ASIDE * 2**number))
