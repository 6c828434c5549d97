"""`python -m scrapers.worker SOURCE FILE`: runs of one source, one after the other, as the scheduler orders them.

A process of its own, so that a run that hangs can be ended from outside; it lives on between runs, so that its browser
stays warm. Orders come as lines of JSON on stdin, `{"run_id", "next_run"}`; answers go to stdout as lines
`{"event": "ready"}` once, then for each order `{"event": "read"}` and `{"event": "done", "exit", …}`. It ends when
stdin does: also when the scheduler was killed.
"""

import faulthandler
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import structlog

from scrapers import collector, execute, log, stdout
from scrapers.catalogue import Catalogue
from scrapers.config import Settings, Source
from scrapers.deliver.http import LONG
from scrapers.errors import DeliveryFailed, ScraperError
from scrapers.fetch import Fetcher
from scrapers.orders import Done, Order
from scrapers.portal import Portal

LEFT_ALONE = 30.0  # seconds beyond its limit after which a run without a scheduler ends itself

logger = structlog.get_logger()


class Worker:
    """Runs of one source. The portal and the browser are opened with the first order."""

    def __init__(self, name: str, path: Path, settings: Settings, answers: BinaryIO) -> None:
        self._name = name
        self._path = path
        self._settings = settings
        self._answers = answers
        self._ready: tuple[Source, Portal, Fetcher] | None = None

    def obey(self, order: Order) -> None:
        """Answers `read` and `done`, whatever happens."""
        try:
            done = self._run(order)
        except DeliveryFailed as error:
            logger.error("nothing can be spooled", source=self._name, run_id=order.run_id, reason=str(error))
            self.say("read")
            done = Done(exit=3)
        self.say("done", **msgspec.structs.asdict(done))

    def say(self, event: str, **more: Any) -> None:
        self._answers.write(msgspec.json.encode({"event": event, **more}) + b"\n")
        self._answers.flush()

    def close(self) -> None:
        if self._ready:
            self._ready[2].close()

    def _run(self, order: Order) -> Done:
        try:
            source, portal, fetcher = self._ready = self._ready or self._opened()
        except ScraperError as error:
            self.say("read")
            execute.report_failure(self._name, self._settings, order.run_id, datetime.now(UTC), error)
            return Done(exit=1)
        faulthandler.dump_traceback_later(source.limit + LEFT_ALONE, exit=True)
        try:
            with closing(fetcher.visit()) as visit:
                summary = execute.deliver(
                    source,
                    portal,
                    visit,
                    self._settings,
                    order.run_id,
                    next_run=order.next_run,
                    read=lambda report: self._has_read(),
                    within=LONG,
                )
        finally:
            faulthandler.cancel_dump_traceback_later()
        report = summary.report
        scraper = None if source.fields else str(portal.file)
        return Done(exit=summary.exit_code, state=report.state, fault=report.fault, scraper=scraper)

    def _has_read(self) -> None:
        """What follows is bounded by itself."""
        faulthandler.cancel_dump_traceback_later()
        self.say("read")

    def _opened(self) -> tuple[Source, Portal, Fetcher]:
        catalogue = Catalogue.read(self._path)
        source = catalogue.source(self._name)
        portal = catalogue.portal(source)
        collector.rest()
        return source, portal, Fetcher(source, portal.start, self._settings.var)


def main(name: str, path: str) -> None:
    log.configure()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the scheduler decides when a run ends
    with stdout.taken() as answers, closing(Worker(name, Path(path), Settings.read(), answers)) as worker:
        worker.say("ready")
        for line in sys.stdin.buffer:
            worker.obey(msgspec.json.decode(line, type=Order))


if __name__ == "__main__":
    main(*sys.argv[1:])
