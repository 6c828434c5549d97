"""When sources run: APScheduler's jobs, the rests of sources that fail for good, and what is announced of both."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec
import structlog
from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scrapers import timing
from scrapers.backoff import Backoff, Rest
from scrapers.config import Schedules, Settings, Source
from scrapers.deliver.outbox import announcement
from scrapers.deliver.spool import Spool
from scrapers.errors import DeliveryFailed
from scrapers.metrics import Metrics
from scrapers.orders import Done

log = structlog.get_logger()


class Timetable:
    """The slots of every source. Its methods may be called from any thread."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._backoff = Backoff(settings.var)
        self._starts = timing.Starts(settings.var)
        self._jobs = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(4)})
        self._jobs.add_listener(self._missed, EVENT_JOB_MISSED)

    def start(self, chore: Callable[[], None], every: float) -> None:
        """Begins; `chore` is done now and then, too: `every` so many seconds. It may be called again while it is being
        done."""
        self._jobs.add_job(chore, "interval", seconds=every, id="chore", coalesce=True, max_instances=2)
        self._jobs.start()

    def hurry(self) -> None:
        """The chore is due now."""
        self._jobs.modify_job("chore", next_run_time=datetime.now(UTC))

    def end(self) -> None:
        """No further slot."""
        if self._jobs.running:
            self._jobs.shutdown(wait=False)

    def add(self, source: Source, due: Callable[[], None]) -> None:
        """From now on `due` is called at the source's slots, in place of what was."""
        self.remove(source.name)
        now, last = datetime.now(UTC), self._starts.last(source.name)
        slots = timing.trigger(source, last, now)
        start = timing.first(source, slots, last, now) if slots else None
        self._announce(source, timing.rested(start, slots, self._backoff.of(source.name)))
        if start:
            self._jobs.add_job(
                due,
                slots,
                id=_job(source.name),
                name=source.name,
                next_run_time=start,
                coalesce=True,
                misfire_grace_time=None if source.misfire is None else ceil(source.misfire),
            )

    def leave(self, source: Source) -> None:
        """It has left the schedule: from now on it runs by hand, and no run of it is due."""
        self.remove(source.name)
        if not source.pushed:
            self._announce(msgspec.structs.replace(source, every=None, cron=None, stale_after=None), None)

    def remove(self, source: str) -> None:
        if self._jobs.get_job(_job(source)):
            self._jobs.remove_job(_job(source))

    def next_run(self, source: Source) -> datetime | None:
        """The slot after the one that runs now, or the first after the source's rest."""
        job = self._jobs.get_job(_job(source.name)) if self._jobs.running else None
        return timing.rested(job.next_run_time, job.trigger, self._backoff.of(source.name)) if job else None

    def rests(self, source: Source) -> bool:
        """Whether the source is left alone now."""
        return self._backoff.rests(source.name, datetime.now(UTC))

    def begins(self, source: Source, started: datetime) -> None:
        """A run of it starts."""
        self._starts.note(source.name, started)

    def ended(self, source: Source, done: Done) -> None:
        """A run of it is over: if it failed for good, the source rests, and that is told."""
        rest = self._backoff.ended(source, done, datetime.now(UTC))
        if rest:
            following = self.next_run(source)
            log.warning("it rests, since asking again would not mend this", **_told(source, rest, following))
            self._announce(source, following)

    def reconsider(self, sources: Iterable[Source]) -> None:
        """Ends the rest of every source that somebody has mended since."""
        for source in sources:
            if self._backoff.mended(source):
                self._backoff.forget(source.name)
                log.info("its settings, credentials or scraper have changed, its rest is over", source=source.name)
                self._announce(source, self.next_run(source))

    def _announce(self, source: Source, next_run: datetime | None) -> None:
        try:
            Spool(self._settings.var, source.name).put(announcement(source.info(next_run)))
        except DeliveryFailed as error:
            log.error("source not announced", source=source.name, reason=str(error))

    def _missed(self, event: JobExecutionEvent) -> None:
        job = self._jobs.get_job(event.job_id)
        late = datetime.now(UTC) - event.scheduled_run_time
        self._metrics.slot(job.name if job else event.job_id, "missed")
        log.warning("run left out, it would have been too late", job=event.job_id, late=late // timedelta(seconds=1))


def upcoming(schedules: Schedules, settings: Settings) -> list[tuple[Source, datetime | None, Rest | None]]:
    """Every source with the time of its next run, as a scheduler started now would have it, and why it rests."""
    now, starts, backoff, found = datetime.now(UTC), timing.Starts(settings.var), Backoff(settings.var), []
    for source in schedules.sources.values():
        last = starts.last(source.name)
        slots = timing.trigger(source, last, now)
        start = timing.first(source, slots, last, now) if slots else None
        rest = None if backoff.mended(source) else backoff.of(source.name)
        found.append((source, timing.rested(start, slots, rest), rest if rest and rest.left(now) else None))
    return found


def _told(source: Source, rest: Rest, following: datetime | None) -> dict[str, object]:
    return {
        "source": source.name,
        "tries": sum(rest.tries.values()),
        "fault": rest.code,
        "reason": rest.reason,
        "next_run": following and following.isoformat(timespec="seconds"),
    }


def _job(name: str) -> str:
    return f"source {name}"
