"""What scrapers tell beside entries: how their source is configured, and how their runs went."""

import msgspec
import sqlalchemy as sa

from ingest_api.contract import RunFault, RunReport, SourceInfo
from realtime.store import write
from realtime.store.aggregate import announced, refuse_reserved
from realtime.store.moments import ahead, millis, now
from realtime.store.schema import runs, sources

LOOKED_BACK = 50  # runs
UNHEARD = msgspec.json.encode(
    RunFault(code="interrupted", message="it never said how it ended, and a later run has ended: was it killed?")
).decode()


def configure(connection: sa.Connection, info: SourceInfo) -> None:
    """Takes a source's configuration as announced, and for the candles of its entries what follows from it."""
    refuse_reserved(info.name)
    _configure(connection, info)
    if info.aggregate is not None:
        _configure(connection, announced(info))


def _configure(connection: sa.Connection, info: SourceInfo) -> None:
    write.locked_source(connection, info.name)
    connection.execute(
        sa.update(sources)
        .where(sources.c.name == info.name)
        .values(
            info=msgspec.json.encode(info).decode(),
            misses=info.removal.misses,
            hold_above=info.removal.hold_above,
            aggregate=msgspec.json.encode(info.aggregate).decode() if info.aggregate else None,
        )
    )


def record_run(connection: sa.Connection, report: RunReport) -> str:
    """Takes a run's report; the counts of its batches stay. Returns the source.

    A report of a run that is older than the last complete one changes nothing about the source. When a run ends, those
    before it that never did count as interrupted, until they are heard of again.
    """
    source = write.locked_source(connection, report.source)
    known = connection.execute(
        sa.select(runs.c.state, runs.c.finished, runs.c.fault).where(
            runs.c.source == report.source, runs.c.id == report.run_id
        )
    ).one_or_none()
    if known is None:
        connection.execute(sa.insert(runs).values(source=report.source, id=report.run_id, **_facts(report)))
    elif known.finished is not None and known.fault != UNHEARD:
        return report.source  # told before
    elif report.state != "running":
        facts = _facts(report)
        if known.state == "held":
            facts["state"] = "held"
        mine = (runs.c.source == report.source) & (runs.c.id == report.run_id)
        connection.execute(sa.update(runs).where(mine).values(**facts))
    if report.state != "running":
        _conclude(source, report)
        _close_earlier(connection, report)
        write.update_source(connection, source)
    return report.source


def _close_earlier(connection: sa.Connection, report: RunReport) -> None:
    """The runs of the source that were heard of before this one and have not ended."""
    mine = sa.select(runs.c.number).where(runs.c.source == report.source, runs.c.id == report.run_id).scalar_subquery()
    earlier = (
        sa.select(runs.c.number)
        .where(runs.c.source == report.source, runs.c.number < mine)
        .order_by(runs.c.number.desc())
        .limit(LOOKED_BACK)
    )
    open_still = runs.c.number.in_(earlier) & (runs.c.state == "running")
    at = millis(report.finished_at or report.started_at)
    connection.execute(sa.update(runs).where(open_still).values(state="failed", finished=at, fault=UNHEARD))


def _conclude(source: write.SourceRow, report: RunReport) -> None:
    source.last_run = report.run_id
    started = millis(report.started_at)
    complete = source.as_of or 0
    if report.state != "failed" or (started < complete and not ahead(complete, now())):
        return
    source.failures += 1
    source.failing_since = source.failing_since or started
    source.fault = msgspec.json.encode(report.fault).decode() if report.fault else None


def _facts(report: RunReport) -> dict[str, object]:
    return {
        "state": report.state,
        "started": millis(report.started_at),
        "finished": millis(report.finished_at) if report.finished_at else None,
        "pages": report.pages,
        "seen": report.seen,
        "fault": msgspec.json.encode(report.fault).decode() if report.fault else None,
    }
