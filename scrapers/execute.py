"""One run from the portal to the server: what the commands do for a source, by hand or by schedule."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from ingest_api.contract import Batch, Entry, RunReport
from scrapers.config import Settings, Source
from scrapers.deliver.doors import Doors
from scrapers.deliver.http import BRIEF, Courier
from scrapers.deliver.outbox import Outbox
from scrapers.deliver.spool import Spool
from scrapers.errors import ScraperError, fault
from scrapers.harvest import Harvest
from scrapers.portal import Portal
from scrapers.summary import Summary
from scrapers.visit import Visit

log = structlog.get_logger()
Show = Callable[[Entry], None]


def _ignore(value: object) -> None:
    """Nobody wants to know."""


def deliver(
    source: Source,
    portal: Portal,
    visit: Visit,
    settings: Settings,
    run_id: str,
    *,
    show: Show = _ignore,
    read: Callable[[RunReport], None] = _ignore,
    patience: float = 0,
    within: float = BRIEF,
    next_run: datetime | None = None,
) -> Summary:
    """Read the portal and deliver what it holds, waiting at the end up to `patience` seconds for the server, and
    `within` so many for each of its answers even when no patience is left.

    `show` is called with each entry, `read` when the portal is read and only the delivery is left. Raises
    DeliveryFailed when the spool cannot be written.
    """
    with structlog.contextvars.bound_contextvars(source=source.name, run_id=run_id):
        with Doors(settings) as door:
            courier = Courier(Spool(settings.var, source.name), door, run_id)
            outbox = Outbox(courier, source.deliver)
            outbox.announce(source.info(next_run))
            report = Harvest(source, portal, visit, outbox, settings.var, run_id, show).run()
            read(report)
            courier.send(patience, within=within)
        summary = Summary.of(report, outbox)
        log.info("run ended", **summary.fields())
    return summary


def report_failure(source: str, settings: Settings, run_id: str, started: datetime, error: ScraperError) -> None:
    """Tell the server of a run that could not tell of itself. Raises DeliveryFailed."""
    report = RunReport(
        run_id=run_id,
        source=source,
        state="failed",
        started_at=started,
        finished_at=datetime.now(UTC),
        fault=fault(error),
    )
    with Doors(settings) as door:
        Outbox(Courier(Spool(settings.var, source), door, run_id)).report(report)


def rehearse(source: Source, portal: Portal, visit: Visit, var: Path, run_id: str, *, show: Show) -> RunReport:
    """Read the portal and deliver nothing."""
    with structlog.contextvars.bound_contextvars(source=source.name, run_id=run_id):
        return Harvest(source, portal, visit, _Nowhere(), var, run_id, show).run()


class _Nowhere:
    """A sink that keeps nothing."""

    def report(self, report: RunReport) -> None:
        """Nobody is told."""

    def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
        """Nothing is kept."""
