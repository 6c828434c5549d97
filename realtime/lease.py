"""A lease: of all processes on a database one holds it, and another one soon after its holder's death.

No two machines' clocks are compared: whoever wants the lease takes it when the row has not moved for as long as a
holder may be silent, by its own clock; a holder's beat counts only if it was on disk sooner than that.
(The way of Kubernetes' leader election.)
"""

import time
from functools import partial
from uuid import uuid4

import structlog

from realtime.store import leases
from realtime.store.leases import NOBODY, Beat
from realtime.store.moments import now
from realtime.store.store import Store

SILENT = 2.0  # seconds after its last beat began until a holder is no holder any more
UNMOVED = 2.25  # seconds without a beat after which another one takes the lease


log = structlog.get_logger()


class Lease:
    """One process's view of a lease. Every call may raise Unavailable."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._me = uuid4().hex
        self._last: Beat | None = None
        self._moved = time.monotonic()  # when the last beat was first seen

    @property
    def held(self) -> bool:
        """Whether this process is the holder, as far as it knows."""
        return self._last is not None and self._last.holder == self._me

    def watch(self) -> Beat | None:
        """Looks, and takes the lease when its holder is gone. Returns a beat that was not seen before."""
        seen = self._store.read(partial(leases.look, name=self._name))
        first, moved = self._last is None, seen != self._last
        if moved:
            self._last, self._moved = seen, time.monotonic()
        if seen is None or seen.holder == NOBODY or time.monotonic() - self._moved > UNMOVED:
            self._take(seen)
        return seen if moved and not first else None

    def beat(self) -> Beat | None:
        """The holder's next beat, which nobody else can have; None when it came too late to count."""
        last = self._last
        if last is None or not self.held:
            return None
        began = time.monotonic()
        self._last = self._store.write(partial(leases.beat, name=self._name, last=last, at=now()))
        self._moved = time.monotonic()
        return self._last if self._moved - began < SILENT else None

    def release(self) -> None:
        """Lets another process take it at once."""
        last, self._last = self._last, None
        if last is not None and last.holder == self._me:
            self._store.write(partial(leases.release, name=self._name, last=last))

    def _take(self, seen: Beat | None) -> None:
        taken = self._store.write(partial(leases.take, name=self._name, seen=seen, holder=self._me, at=now()))
        if taken is not None:
            self._last, self._moved = taken, time.monotonic()
            log.info("lease taken", lease=self._name, term=taken.term)
