"""Housekeeping: old receipts, runs, dead letters, notes and counts go, and old changes where PORTALWIRE_LOG_DAYS says
so. Slowly, a small transaction at a time, so that no batch waits for it."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import gevent
import sqlalchemy as sa

from ingest_api.contract.errors import Unavailable
from realtime.store import prune, read, trim
from realtime.store.moments import now
from realtime.store.schema import dead_letters, notes
from realtime.store.store import Store

DAY = 24 * 3600 * 1000  # milliseconds
BATCHES = 30 * DAY  # for so long the same batch sent again changes nothing
RUNS = 10_000  # of a source
DEAD_LETTERS, LETTERS = 90 * DAY, 100_000  # how old they become, and how many there are
NOTES_FOR, NOTES = 90 * DAY, 100_000  # the same of notes, of all rooms together
ACTIVITY = 7 * DAY  # for so long the changes of each minute are counted
EVERY = 600.0  # seconds
PAUSE = 0.1  # seconds between two transactions


class Housekeeping:
    """`run` is its loop. Several processes may do it at once: each finds less to do."""

    def __init__(self, store: Store, log_days: float | None) -> None:
        self._store = store
        self._log_days = log_days

    def run(self) -> None:
        """For ever."""
        while True:
            gevent.sleep(EVERY)
            with suppress(Unavailable):
                self.once(now())

    def once(self, at: int) -> None:
        """Everything that is due at `at` (milliseconds)."""
        for vitals in self._store.read(read.vitals):
            self._all(partial(prune.old_batches, source=vitals.name, before=at - BATCHES), vitals.name)
            self._all(partial(prune.old_runs, source=vitals.name, keep=RUNS), vitals.name)
        for table, age, most in ((dead_letters, DEAD_LETTERS, LETTERS), (notes, NOTES_FOR, NOTES)):
            self._all(partial(prune.old, table=table, before=at - age))
            self._all(partial(prune.many, table=table, keep=most))
        self._all(partial(prune.old_activity, before=at - ACTIVITY))
        if self._log_days is not None:
            self._trim(at - int(self._log_days * DAY))

    def _all(self, piece: Callable[[sa.Connection], bool], source: str = "") -> None:
        while self._store.write(piece, source):
            gevent.sleep(PAUSE)

    def _trim(self, before: int) -> None:
        """First below the floors that every process knows by now; then they are raised for the next time."""
        for source, floor in self._store.read(trim.floors).items():
            after: int | None = 0
            while after is not None:
                after = self._store.write(partial(trim.trim, source=source, after=after, floor=floor), source)
                gevent.sleep(PAUSE)
            self._all(partial(trim.raise_floor, source=source, before=before), source)
