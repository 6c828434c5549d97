"""One source in the scheduler: one run at a time, in a worker that is kept while the next run is near."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from scrapers import execute
from scrapers.child import Child
from scrapers.config import Settings, Source
from scrapers.errors import Crashed, Hung, Interrupted, ScraperError, fault
from scrapers.harvest import new_run_id
from scrapers.metrics import Metrics
from scrapers.orders import Done
from scrapers.timetable import Timetable

KEEP_FOR = timedelta(minutes=2)  # a worker whose next run is further away is ended
RUNS = 200  # after which a worker is replaced
PORTAL, DELIVERY = 1, 3  # exit codes, as scrapers.run has them
GOODBYE = 10.0  # seconds a worker may take to close its browser

log = structlog.get_logger()


@dataclass
class Lane:
    """`due` and `now` may be called from any thread."""

    source: Source
    path: Path
    settings: Settings
    pool: Executor
    timetable: Timetable
    metrics: Metrics
    exits: list[int] = field(default_factory=list)
    _child: Child | None = None
    _started: datetime | None = None
    _runs: int = 0
    _busy: bool = False
    _again: bool = False
    _stopping: bool = False
    _outdated: bool = False
    _change: threading.Condition = field(default_factory=threading.Condition)

    def due(self) -> None:
        """A slot of the source: run now, unless it rests."""
        if self.timetable.rests(self.source):
            self.metrics.slot(self.source.name, "rested")
        else:
            self.now()

    def now(self) -> None:
        """Run now; or, when a run is under way, once more after it, however many slots it overslept."""
        with self._change:
            if self._stopping:
                return
            if self._busy:
                self._again = True
                self.metrics.slot(self.source.name, "coalesced")
                log.info("still running, its next run follows at once", source=self.source.name)
                return
            self._busy = True
        self._submit(self._run)

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self._started is not None

    @property
    def worker(self) -> int | None:
        """The worker's process number."""
        child = self._child
        return child.pid if child else None

    def renew(self, source: Source | None = None) -> None:
        """The worker's code or configuration is outdated: it ends now or after its run, the next run gets another."""
        with self._change:
            self.source = source or self.source
            self._outdated = True
            if self._busy:
                return
            self._busy = True
        self._submit(self._leave)

    def stop(self) -> None:
        """No further run."""
        with self._change:
            self._stopping = True
            self._again = False

    def idle(self, within: float | None = None) -> bool:
        """Waits for the end of the run under way, and of the one that follows it."""
        with self._change:
            return self._change.wait_for(lambda: not self._busy, within)

    def end(self, grace: float) -> None:
        """Waits up to `grace` seconds for a run under way, then ends it and the worker."""
        self.stop()
        child = self._child
        if not self.idle(grace) and child:
            child.kill()
            self.idle(GOODBYE)
        self._leave()

    def _submit(self, work: Callable[[], None]) -> None:
        try:
            self.pool.submit(self._done, work)
        except RuntimeError:  # the pool is closed: the scheduler ends
            self._rest()

    def _done(self, work: Callable[[], None]) -> None:
        """The work, then what came up meanwhile."""
        try:
            work()
        except Exception:  # an edge: one source's trouble must not end the others
            log.exception("a run failed to start or to be told", source=self.source.name)
        with self._change:
            again, self._again = self._again, False
        if again and not self.timetable.rests(self.source):
            self._submit(self._run)
        else:
            self._rest()

    def _rest(self) -> None:
        with self._change:
            self._busy = False
            self._change.notify_all()

    def _run(self) -> None:
        if self._stopping:
            return
        if self._outdated or self._runs >= RUNS:
            self._leave()
        source, started = self.source, datetime.now(UTC)
        self.timetable.begins(source, started)
        self.metrics.slot(source.name, "run")
        self._started = started
        try:
            done = self._ordered(source, started)
        finally:
            self._started = None
        self.exits.append(done.exit)
        if not self._stopping:
            self.timetable.ended(source, done)
        if self._outdated:
            self.timetable.reconsider([self.source])
        if self._outdated or self._far():
            self._leave()

    def _ordered(self, source: Source, started: datetime) -> Done:
        """A run by the worker, until all is delivered."""
        run_id = new_run_id()
        child = self._child = self._child or Child(source.name, self.path)
        self._runs += 1
        try:
            child.read(run_id, self.timetable.next_run(source), source.limit)
        except (Hung, Crashed) as error:
            self._broken(child)
            self._tell(run_id, started, error)
            return Done(exit=PORTAL, fault=fault(error))
        try:
            return child.delivered()
        except (Hung, Crashed) as error:  # the run has told of itself; what is left lies in the spool
            log.error("the delivery was ended", source=source.name, reason=str(error))
            self._broken(child)
            return Done(exit=DELIVERY)

    def _far(self) -> bool:
        """Whether the worker would wait too long for its next run."""
        next_run = self.timetable.next_run(self.source)
        return next_run is None or next_run - datetime.now(UTC) > KEEP_FOR

    def _tell(self, run_id: str, started: datetime, error: ScraperError) -> None:
        """The server learns of a run whose worker can no longer report it."""
        why = Interrupted("the scheduler was stopped") if self._stopping else error
        log.error("the run was ended", source=self.source.name, run_id=run_id, reason=str(why))
        execute.report_failure(self.source.name, self.settings, run_id, started, why)

    def _broken(self, child: Child) -> None:
        child.kill()
        self._leave()

    def _leave(self) -> None:
        child, self._child = self._child, None
        self._runs, self._outdated = 0, False
        if child:
            child.end(GOODBYE)
