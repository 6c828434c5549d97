"""What a person needs to decide a held run: what it saw, what it would remove, and what is usual."""

from typing import Any

import msgspec
import sqlalchemy as sa

from ingest_api.contract.errors import NotFound
from realtime.store.keys import keyed
from realtime.store.look import run_view
from realtime.store.moments import iso
from realtime.store.schema import entries, holds, runs
from realtime.store.views import HoldsView, HoldView, MissingView, RunView, TopicCount, UsualView

SHOWN = 50  # missing entries that are named
USUAL = 20  # complete runs that make what is usual


def hold_list(connection: sa.Connection, source: str | None) -> HoldsView:
    """The pending holds, oldest first."""
    query = sa.select(holds).where(holds.c.decision.is_(None)).order_by(holds.c.id)
    if source is not None:
        query = query.where(holds.c.source == source)
    return HoldsView(holds=[_hold(connection, row) for row in connection.execute(query).all()])


def source_of(connection: sa.Connection, hold: int) -> str:
    """The source whose run is held; raises NotFound."""
    source: str | None = connection.scalar(sa.select(holds.c.source).where(holds.c.id == hold))
    if source is None:
        raise NotFound(f"there is no hold {hold}")
    return source


def _hold(connection: sa.Connection, row: Any) -> HoldView:
    keys: list[str] = msgspec.json.decode(row.missing)
    return HoldView(
        id=row.id,
        source=row.source,
        run_id=row.run_id,
        at=iso(row.at),
        as_of=iso(row.as_of),
        present=row.present,
        seen=row.seen,
        hold_above=row.hold_above,
        missing_count=len(keys),
        missing=_missing(connection, row.source, keys[:SHOWN]),
        by_topic=_by_topic(connection, row.source, keys),
        run=_run(connection, row.source, row.run_id),
        usual=_usual(connection, row.source),
    )


def _missing(connection: sa.Connection, source: str, keys: list[str]) -> list[MissingView]:
    rows = connection.execute(
        sa.select(entries.c.key, entries.c.topic, entries.c.data)
        .where(keyed(connection, entries, source, keys))
        .order_by(entries.c.key)
    )
    return [MissingView(key=row.key, topic=row.topic, data=msgspec.Raw(row.data.encode())) for row in rows]


def _by_topic(connection: sa.Connection, source: str, missing: list[str]) -> dict[str, TopicCount]:
    gone = _per_topic(connection, keyed(connection, entries, source, missing))
    present = _per_topic(connection, entries.c.source == source)
    return {topic: TopicCount(seen=count - gone.get(topic, 0), present=count) for topic, count in present.items()}


def _per_topic(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[str, int]:
    rows = connection.execute(
        sa.select(entries.c.topic, sa.func.count()).where(which, entries.c.present).group_by(entries.c.topic)
    )
    return dict(sorted((topic or "", count) for topic, count in rows.all()))


def _run(connection: sa.Connection, source: str, run_id: str) -> RunView | None:
    columns = [runs.c[field] for field in RunView.__struct_fields__]
    row = connection.execute(sa.select(*columns).where(runs.c.source == source, runs.c.id == run_id)).one_or_none()
    return run_view(row) if row else None


def _usual(connection: sa.Connection, source: str) -> UsualView | None:
    rows = connection.execute(
        sa.select(runs.c.pages, runs.c.seen, (runs.c.finished - runs.c.started).label("took"))
        .where(runs.c.source == source, runs.c.state == "complete", runs.c.finished.is_not(None))
        .order_by(runs.c.number.desc())
        .limit(USUAL)
    ).all()
    if not rows:
        return None
    return UsualView(
        pages=sum(row.pages for row in rows) / len(rows),
        seconds=sum(row.took for row in rows) / len(rows) / 1000,
        seen=sum(row.seen for row in rows) / len(rows),
    )
