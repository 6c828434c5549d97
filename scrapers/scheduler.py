"""Runs the sources of schedules.yaml when they are due, and follows the file when it changes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

import structlog
from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor as JobExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scrapers import timing
from scrapers.config import Schedules, Settings, Source, load
from scrapers.deliver.doors import Doors
from scrapers.deliver.http import Courier
from scrapers.deliver.outbox import announcement
from scrapers.deliver.spool import Spool, waiting
from scrapers.errors import ConfigError, DeliveryFailed
from scrapers.lane import Lane

POST_EVERY = 5  # seconds between two looks for what still waits in a spool

log = structlog.get_logger()


class Scheduler:
    """A lane for each source, triggered by APScheduler, in two pools: runs by HTTP, and browsers, which are heavy."""

    def __init__(self, path: Path, settings: Settings, *, runs: int, browsers: int) -> None:
        self._path = path
        self._settings = settings
        self._schedules = Schedules(sources={})
        self._lanes: dict[str, Lane] = {}
        self._changing = threading.Lock()
        self._starts = timing.Starts(settings.var)
        self._told: dict[str, str] = {}  # source -> the last reason its spool could not be emptied
        self._pools = {
            "http": ThreadPoolExecutor(runs, thread_name_prefix="http"),
            "browser": ThreadPoolExecutor(browsers, thread_name_prefix="browser"),
        }
        self._jobs = BackgroundScheduler(timezone=UTC, executors={"default": JobExecutor(4)})
        self._jobs.add_listener(_missed, EVENT_JOB_MISSED)

    def start(self, schedules: Schedules) -> None:
        """Begins to run the sources by their schedules, and to deliver what earlier runs left behind."""
        self._jobs.add_job(self._post, "interval", seconds=POST_EVERY, id="post", coalesce=True)
        self._jobs.start()
        self.apply(schedules)

    def once(self, schedules: Schedules) -> list[int]:
        """Every source once, now; the exit codes of the runs."""
        for source in schedules.sources.values():
            self._lane(source).due()
        for lane in self._lanes.values():
            lane.idle()
        return [code for lane in self._lanes.values() for code in lane.exits]

    def reload(self) -> None:
        """Takes up the file as it is now; a broken one changes nothing."""
        try:
            schedules = load(self._path)
        except ConfigError as error:
            log.error("schedules not reloaded, the sources stay as they are", problems=error.problems)
            return
        self.apply(schedules)

    def renew(self) -> None:
        """The portals' code has changed: every worker is replaced before its next run."""
        log.info("portals changed, workers are renewed")
        for lane in list(self._lanes.values()):
            lane.renew()

    def apply(self, schedules: Schedules) -> None:
        """From the sources as they are to those of `schedules`; what did not change is left alone."""
        with self._changing:
            before, after = self._schedules.sources, schedules.sources
            self._schedules = schedules
            for name in before.keys() - after.keys():
                log.info("source left the schedule", source=name)
                self._unschedule(name)
                self._lanes[name].renew()
            for name, source in after.items():
                if before.get(name) != source:
                    log.info("source scheduled", source=name, schedule=source.schedule)
                    self._schedule(source)
        self._jobs.modify_job("post", next_run_time=datetime.now(UTC))

    def end(self, grace: float) -> None:
        """No further run; runs under way get `grace` seconds, then nothing of them is left."""
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        lanes = list(self._lanes.values())
        for pool in self._pools.values():
            pool.shutdown(wait=False)
        enders = [threading.Thread(target=lane.end, args=(grace,)) for lane in lanes]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()

    def _lane(self, source: Source) -> Lane:
        lane = self._lanes.get(source.name)
        if lane is None or lane.pool is not self._pools[source.fetch]:
            if lane:
                lane.end(0)
            lane = Lane(source, self._path, self._settings, self._pools[source.fetch], self._next_run)
            self._lanes[source.name] = lane
        else:
            lane.renew(source)
        return lane

    def _schedule(self, source: Source) -> None:
        self._unschedule(source.name)
        lane, now = self._lane(source), datetime.now(UTC)
        last = self._starts.last(source.name)
        slots = timing.trigger(source, last, now)
        start = timing.first(source, slots, last, now) if slots else None
        self._announce(source, start)
        if slots and start:
            self._jobs.add_job(
                lane.due,
                slots,
                id=_job(source.name),
                name=source.name,
                next_run_time=start,
                coalesce=True,
                misfire_grace_time=None if source.misfire is None else ceil(source.misfire),
            )

    def _unschedule(self, name: str) -> None:
        if self._jobs.get_job(_job(name)):
            self._jobs.remove_job(_job(name))

    def _next_run(self, source: Source) -> datetime | None:
        """The slot after the one that runs now."""
        job = self._jobs.get_job(_job(source.name)) if self._jobs.running else None
        upcoming: datetime | None = job.next_run_time if job else None
        return upcoming

    def _announce(self, source: Source, next_run: datetime | None) -> None:
        try:
            Spool(self._settings.var, source.name).put(announcement(source.info(next_run)))
        except DeliveryFailed as error:
            log.error("source not announced", source=source.name, reason=str(error))

    def _post(self) -> None:
        """Delivers what waits in the spools, those of runs by hand too."""
        for name in waiting(self._settings.var):
            with Doors(self._settings) as door:
                courier = Courier(Spool(self._settings.var, name), door)
                courier.send()
            self._tell(name, courier)

    def _tell(self, name: str, courier: Courier) -> None:
        for path, why in courier.refused:
            log.error("the server refused this for good, it is set aside", source=name, file=str(path), reason=why)
        if courier.sent:
            log.info("delivered from the spool", source=name, requests=courier.sent)
        why = str(courier.failure or "")
        if why and self._told.get(name) != why:
            log.warning("the spool waits", source=name, requests=len(courier.spool.pending()), reason=why)
        self._told[name] = why


def upcoming(schedules: Schedules, settings: Settings) -> list[tuple[Source, datetime | None]]:
    """Every source with the time of its next run, as a scheduler started now would have it."""
    now, starts, found = datetime.now(UTC), timing.Starts(settings.var), []
    for source in schedules.sources.values():
        last = starts.last(source.name)
        slots = timing.trigger(source, last, now)
        found.append((source, timing.first(source, slots, last, now) if slots else None))
    return found


def _job(name: str) -> str:
    return f"source {name}"


def _missed(event: JobExecutionEvent) -> None:
    late = datetime.now(UTC) - event.scheduled_run_time
    log.warning("run left out, it would have been too late", job=event.job_id, late=late // timedelta(seconds=1))
