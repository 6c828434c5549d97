"""Named points of the server's code, at which a process kills itself."""

import os
from collections.abc import Sequence
from typing import Any

import gevent
import sqlalchemy as sa
from alembic import command
from gevent import monkey

from ingest_api.redis_stream import StreamDoor
from realtime.audience import Audience
from realtime.hints import Hints
from realtime.store import leases
from realtime.store.commit import commit_batch
from realtime.store.writer import Operation, Writer
from tests.faults.dying import after, passing

_thread: Any = monkey.get_original("_thread", "get_ident")


def make() -> None:
    """Makes the points. "after commit": nobody was told; "before answer": clients were, the sender was not answered;
    "before hint": the sender was answered, the other processes were not told."""
    _in_a_commit()
    _before_the_hint()
    after(StreamDoor, "_settled", "before acknowledgement")
    after(Audience, "_serve_page", "while catching up")
    after(leases, "beat", "in the clock's beat")
    after(command, "upgrade", "while migrating")


def of_batches(operations: Sequence[Operation]) -> bool:
    """Whether a transaction stores a batch: the clock's lease beats through the same writer."""
    return any(getattr(operation, "func", None) is commit_batch for operation in operations)


def _in_a_commit() -> None:
    storing: set[int] = set()  # threads: others commit too, what they only read
    commit, run = Writer._commit, Writer._run

    def committed(writer: Writer, operations: Sequence[Operation]) -> list[Any]:
        if not of_batches(operations):
            return commit(writer, operations)
        storing.add(_thread())
        outcomes = commit(writer, operations)
        storing.remove(_thread())
        passing("after commit")
        return outcomes

    def ran(writer: Writer, group: Sequence[Any]) -> None:
        run(writer, group)
        if of_batches([waiting.operation for waiting in group]):
            passing("before answer")  # whoever waits goes on when this greenlet lets him

    @sa.event.listens_for(sa.Engine, "commit")
    def about_to(_connection: sa.Connection) -> None:
        if _thread() in storing:
            passing("before commit")

    Writer._commit, Writer._run = committed, ran  # type: ignore[method-assign]


def _before_the_hint() -> None:
    publish = Hints.publish

    def published(hints: Hints, result: Any) -> None:
        if os.environ.get("PORTALWIRE_FAULT_KILL", "").startswith("before hint"):
            gevent.spawn_later(0.02, passing, "before hint")  # the answer is on its way by then
        else:
            publish(hints, result)

    Hints.publish = published  # type: ignore[method-assign]
