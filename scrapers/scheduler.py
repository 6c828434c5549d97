"""Runs the sources of schedules.yaml when they are due, and follows the file when it changes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from scrapers import gauges
from scrapers.catalogue import Catalogue
from scrapers.config import Schedules, Settings, Source, load
from scrapers.deliver.doors import Doors
from scrapers.deliver.http import LONG, Courier, Silent
from scrapers.deliver.spool import Spool, waiting
from scrapers.errors import ConfigError
from scrapers.lane import Lane
from scrapers.metrics import Metrics
from scrapers.timetable import Timetable

POST_EVERY = 5  # seconds between two looks for what still waits in a spool

log = structlog.get_logger()


class Scheduler:
    """A lane for each source, triggered by the timetable, in two pools: runs by HTTP, and browsers, which are heavy."""

    def __init__(self, path: Path, settings: Settings, metrics: Metrics, *, runs: int, browsers: int) -> None:
        self._path = path
        self._settings = settings
        self._schedules = Schedules(sources={})
        self._lanes: dict[str, Lane] = {}
        self._changing = threading.Lock()
        self._metrics = metrics
        self._timetable = Timetable(settings, metrics)
        self._posting = threading.Lock()
        self._told: dict[str, str] = {}  # source -> the last reason its spool could not be emptied
        self._pools = {
            "http": ThreadPoolExecutor(runs, thread_name_prefix="http"),
            "browser": ThreadPoolExecutor(browsers, thread_name_prefix="browser"),
        }
        metrics.watch(gauges.of_lanes(lambda: list(self._lanes.values())))
        metrics.watch(gauges.of_sources(settings.var, lambda: self._schedules.sources.values()))

    def start(self, schedules: Schedules) -> None:
        """Begins to run the sources by their schedules, and to deliver what earlier runs left behind."""
        self._timetable.start(self._post, POST_EVERY)
        self.apply(schedules)

    def once(self, schedules: Schedules) -> list[int]:
        """Every source once, now, also one that rests; the exit codes of the runs."""
        self._schedules = schedules
        for source in schedules.sources.values():
            if not source.pushed:
                self._lane(source).now()
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

    def replan(self) -> None:
        """The clock was set: from now on the slots are those that follow what it says now. Else a scheduler whose clock
        went back a day would wait a day for the next one."""
        log.warning("the clock was set, the slots are told anew")
        with self._changing:
            for name, source in self._schedules.sources.items():
                self._timetable.add(source, self._lanes[name].due)
        self._timetable.hurry()

    def renew(self) -> None:
        """The portals' code has changed: every worker is replaced before its next run."""
        log.info("portals changed, workers are renewed")
        for lane in list(self._lanes.values()):
            lane.renew()
        self._timetable.reconsider(self._schedules.sources.values())

    @property
    def folders(self) -> list[Path]:
        """Where the portals are."""
        return Catalogue.folders(self._path, self._schedules)

    def apply(self, schedules: Schedules) -> None:
        """From the sources as they are to those of `schedules`; what did not change is left alone."""
        with self._changing:
            before, after = self._schedules.sources, schedules.sources
            self._schedules = schedules
            for name in before.keys() - after.keys():
                log.info("source left the schedule", source=name)
                self._timetable.leave(before[name])
                self._lanes[name].renew()
            for name, source in after.items():
                if before.get(name) != source:
                    log.info("source scheduled", source=name, schedule=source.schedule)
                    self._timetable.add(source, self._lane(source).due)
            self._timetable.reconsider(after.values())
        self._timetable.hurry()

    def end(self, grace: float) -> None:
        """No further run; runs under way get `grace` seconds, then nothing of them is left."""
        self._timetable.end()
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
            lane = Lane(source, self._path, self._settings, self._pools[source.fetch], self._timetable, self._metrics)
            self._lanes[source.name] = lane
        else:
            lane.renew(source)
        return lane

    def _post(self) -> None:
        """Delivers what waits in the spools, those of runs by hand too, unless that is being done already."""
        if self._posting.acquire(blocking=False):
            try:
                self._post_all()
            finally:
                self._posting.release()

    def _post_all(self) -> None:
        for name in waiting(self._settings.var):
            with Doors(self._settings) as door:
                courier = Courier(Spool(self._settings.var, name), door)
                courier.send(within=LONG)
            self._tell(name, courier)
            if isinstance(courier.failure, Silent):
                return  # the others would only wait for the same server

    def _tell(self, name: str, courier: Courier) -> None:
        for path, why in courier.refused:
            log.error("the server refused this for good, it is set aside", source=name, file=str(path), reason=why)
        if courier.sent:
            log.info("delivered from the spool", source=name, requests=courier.sent)
        why = str(courier.failure or "")
        if why and self._told.get(name) != why:
            log.warning("the spool waits", source=name, requests=len(courier.spool.pending()), reason=why)
        self._told[name] = why
