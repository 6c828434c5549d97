"""Named points of the server's code, at which a process kills itself.

PORTALWIRE_FAULT_KILL names the point and at which passing of it that is (`before commit:3`); PORTALWIRE_FAULT_KILLS is
how often in all, which the files in the folder PORTALWIRE_FAULT_KILLED count for all processes.
"""

import os
import signal
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import gevent
import sqlalchemy as sa
from alembic import command

from ingest_api.redis_stream import StreamDoor
from realtime.audience import Audience
from realtime.hints import Hints
from realtime.store import leases
from realtime.store.commit import commit_batch
from realtime.store.writer import Operation, Writer

_passings = count(1)


def make() -> None:
    """Makes the points. "after commit": nobody was told; "before answer": clients were, the sender was not answered;
    "before hint": the sender was answered, the other processes were not told."""
    _in_a_commit()
    _before_the_hint()
    _after(StreamDoor, "_settled", "before acknowledgement")
    _after(Audience, "_serve_page", "while catching up")
    _after(leases, "beat", "in the clock's beat")
    _after(command, "upgrade", "while migrating")


def passing(point: str) -> None:
    """This process is at a point of the code: it may be where it ends."""
    named, _, nth = os.environ.get("PORTALWIRE_FAULT_KILL", "").partition(":")
    if point != named or next(_passings) < int(nth):
        return
    for number in range(int(os.environ["PORTALWIRE_FAULT_KILLS"])):
        try:
            (Path(os.environ["PORTALWIRE_FAULT_KILLED"]) / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)


def of_batches(operations: Sequence[Operation]) -> bool:
    """Whether a transaction stores a batch: the clock's lease beats through the same writer."""
    return any(getattr(operation, "func", None) is commit_batch for operation in operations)


def _after(owner: Any, name: str, point: str) -> None:
    original = getattr(owner, name)

    def passed(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        passing(point)
        return result

    setattr(owner, name, passed)


def _in_a_commit() -> None:
    storing = False
    commit, run = Writer._commit, Writer._run

    def committed(writer: Writer, operations: Sequence[Operation]) -> list[Any]:
        nonlocal storing
        storing = of_batches(operations)
        outcomes = commit(writer, operations)
        if storing:
            passing("after commit")
        storing = False
        return outcomes

    def ran(writer: Writer, group: Sequence[Any]) -> None:
        run(writer, group)
        if of_batches([waiting.operation for waiting in group]):
            passing("before answer")  # whoever waits goes on when this greenlet lets him

    @sa.event.listens_for(sa.Engine, "commit")
    def about_to(_connection: sa.Connection) -> None:
        if storing:
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
