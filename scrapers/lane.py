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
from scrapers.errors import Crashed, Hung, Interrupted, ScraperError
from scrapers.harvest import new_run_id
from scrapers.timing import Starts

KEEP_FOR = timedelta(minutes=2)  # a worker whose next run is further away is ended
RUNS = 200  # after which a worker is replaced
PORTAL, DELIVERY = 1, 3  # exit codes, as scrapers.run has them
GOODBYE = 10.0  # seconds a worker may take to close its browser

log = structlog.get_logger()


@dataclass
class Lane:
    """`next_run` tells the source's next slot. `due` may be called from any thread."""

    source: Source
    path: Path
    settings: Settings
    pool: Executor
    next_run: Callable[[Source], datetime | None]
    exits: list[int] = field(default_factory=list)
    _child: Child | None = None
    _runs: int = 0
    _busy: bool = False
    _again: bool = False
    _stopping: bool = False
    _outdated: bool = False
    _change: threading.Condition = field(default_factory=threading.Condition)

    def due(self) -> None:
        """Run now; or, when a run is under way, once more after it, however many slots it overslept."""
        with self._change:
            if self._stopping:
                return
            if self._busy:
                self._again = True
                log.info("still running, its next run follows at once", source=self.source.name)
                return
            self._busy = True
        self._submit(self._run)

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
        if again:
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
        run_id, started = new_run_id(), datetime.now(UTC)
        Starts(self.settings.var).note(self.source.name, started)
        next_run = self.next_run(self.source)
        child = self._child = self._child or Child(self.source.name, self.path)
        self._runs += 1
        try:
            child.read(run_id, next_run, self.source.limit)
        except (Hung, Crashed) as error:
            self.exits.append(PORTAL)
            self._broken(child)
            self._tell(run_id, started, error)
            return
        self._delivered(child)
        if self._outdated or next_run is None or next_run - datetime.now(UTC) > KEEP_FOR:
            self._leave()

    def _delivered(self, child: Child) -> None:
        try:
            self.exits.append(child.delivered()["exit"])
        except (Hung, Crashed) as error:  # the run has told of itself; what is left lies in the spool
            log.error("the delivery was ended", source=self.source.name, reason=str(error))
            self.exits.append(DELIVERY)
            self._broken(child)

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
