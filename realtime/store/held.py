"""What a person needs to decide a held run: what it saw, what it would remove, and what is usual."""

import msgspec
import sqlalchemy as sa

from ingest_api.contract.errors import NotFound
from realtime.store.keys import among, paired
from realtime.store.look import run_view
from realtime.store.moments import iso
from realtime.store.schema import entries, holds, runs, sources
from realtime.store.views import HoldsView, HoldView, MissingView, RunView, TopicCount, UsualView

SHOWN = 50  # missing entries that are named
USUAL = 20  # complete runs that make what is usual

PerTopic = dict[str, dict[str, int]]
"""Source -> topic -> entries."""


def hold_list(connection: sa.Connection, source: str | None) -> HoldsView:
    """The pending holds, oldest first: as many statements for one as for all. A source has one at most."""
    query = sa.select(holds).where(holds.c.decision.is_(None)).order_by(holds.c.id)
    if source is not None:
        query = query.where(holds.c.source == source)
    rows = connection.execute(query).all()
    if not rows:
        return HoldsView(holds=[])
    keys: dict[str, list[str]] = {row.source: msgspec.json.decode(row.missing) for row in rows}
    missing = _missing(connection, [(source, key) for source, mine in keys.items() for key in mine[:SHOWN]])
    gone = _gone(connection, [(source, key) for source, mine in keys.items() for key in mine])
    present = _present(connection, list(keys))
    held_runs = _runs(connection, [(row.source, row.run_id) for row in rows])
    usual = _usual(connection, list(keys))
    return HoldsView(
        holds=[
            HoldView(
                id=row.id,
                source=row.source,
                run_id=row.run_id,
                at=iso(row.at),
                as_of=iso(row.as_of),
                present=row.present,
                seen=row.seen,
                hold_above=row.hold_above,
                missing_count=len(keys[row.source]),
                missing=missing.get(row.source, []),
                by_topic={
                    topic: TopicCount(seen=count - gone.get(row.source, {}).get(topic, 0), present=count)
                    for topic, count in present.get(row.source, {}).items()
                },
                run=held_runs.get(row.source),
                usual=usual.get(row.source),
            )
            for row in rows
        ]
    )


def source_of(connection: sa.Connection, hold: int) -> str:
    """The source whose run is held; raises NotFound."""
    source: str | None = connection.scalar(sa.select(holds.c.source).where(holds.c.id == hold))
    if source is None:
        raise NotFound(f"there is no hold {hold}")
    return source


def _missing(connection: sa.Connection, pairs: list[tuple[str, str]]) -> dict[str, list[MissingView]]:
    """Source -> these entries of it, by key."""
    found: dict[str, list[MissingView]] = {}
    for row in connection.execute(paired(connection, entries, "key", ("source", "key", "topic", "data"), pairs)):
        view = MissingView(key=row.key, topic=row.topic, data=msgspec.Raw(row.data.encode()))
        found.setdefault(row.source, []).append(view)
    return {source: sorted(views, key=lambda view: view.key) for source, views in found.items()}


def _gone(connection: sa.Connection, pairs: list[tuple[str, str]]) -> PerTopic:
    """How many of these entries are present."""
    found = paired(connection, entries, "key", ("source", "topic", "present"), pairs).subquery("found")
    return _counted(connection, found.c.source, found.c.topic, found.c.present)


def _present(connection: sa.Connection, named: list[str]) -> PerTopic:
    return _counted(
        connection, entries.c.source, entries.c.topic, among(connection, entries.c.source, named) & entries.c.present
    )


def _counted(
    connection: sa.Connection,
    source: sa.ColumnElement[str],
    topic: sa.ColumnElement[str | None],
    which: sa.ColumnElement[bool],
) -> PerTopic:
    rows = connection.execute(sa.select(source, topic, sa.func.count()).where(which).group_by(source, topic))
    found: PerTopic = {}
    for name, in_topic, count in sorted((name, in_topic or "", count) for name, in_topic, count in rows.all()):
        found.setdefault(name, {})[in_topic] = count
    return found


def _runs(connection: sa.Connection, pairs: list[tuple[str, str]]) -> dict[str, RunView]:
    """Source -> the run of it that is held."""
    rows = connection.execute(paired(connection, runs, "id", RunView.__struct_fields__, pairs))
    return {row.source: run_view(row) for row in rows}


def _usual(connection: sa.Connection, named: list[str]) -> dict[str, UsualView]:
    """Source -> what its last complete runs were like."""
    older = runs.alias("older")
    oldest = (
        sa.select(older.c.number)
        .where(older.c.source == sources.c.name, older.c.state == "complete", older.c.finished.is_not(None))
        .order_by(older.c.number.desc())
        .limit(1)
        .offset(USUAL - 1)
        .scalar_subquery()
    )
    recent = (runs.c.source == sources.c.name) & (runs.c.number >= sa.func.coalesce(oldest, 0))
    complete = (runs.c.state == "complete") & runs.c.finished.is_not(None)
    counted = [runs.c.pages, runs.c.seen, runs.c.finished - runs.c.started]
    rows = connection.execute(
        sa.select(sources.c.name, sa.func.count(runs.c.number), *(sa.func.sum(column) for column in counted))
        .join_from(sources, runs, recent & complete)
        .where(among(connection, sources.c.name, named))
        .group_by(sources.c.name)
    )
    return {
        name: UsualView(pages=float(pages) / count, seconds=float(took) / count / 1000, seen=float(seen) / count)
        for name, count, pages, seen, took in rows
    }
