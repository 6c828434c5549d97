"""The queries behind the HTTP views: bounded pages, each page a fixed number of statements."""

from typing import Any

import msgspec
import sqlalchemy as sa

from ingest_api.contract import RunFault
from ingest_api.contract.errors import ContractError, NotFound
from realtime.store import read, search
from realtime.store.moments import iso, iso_or_none, millis
from realtime.store.schema import changes, dead_letters, entries, runs, sources
from realtime.store.standing import info_of, standing
from realtime.store.views import (
    DeadLettersView,
    DeadLetterView,
    EntriesView,
    EntryView,
    HistoryView,
    RunsView,
    RunView,
    SourcesView,
    SourceView,
    VersionView,
)

RUNS_SHOWN = 40
DAY = 24 * 3600 * 1000  # milliseconds
HISTORY = 500  # versions
LARGEST = 2**63 - 1  # of the database's whole numbers

_RUN = [runs.c[field] for field in RunView.__struct_fields__]


class BadPage(ContractError):
    """`after` is not the `next` of an earlier page."""

    code = "bad_page"


def run_view(row: Any) -> RunView:
    fields = dict(row._mapping)
    fields["started"] = iso(fields["started"])
    fields["finished"] = iso_or_none(fields["finished"])
    fields["fault"] = msgspec.json.decode(fields["fault"], type=RunFault) if fields["fault"] else None
    return RunView(**{field: fields[field] for field in RunView.__struct_fields__})


def source_list(connection: sa.Connection, epoch: str, now: int, name: str | None = None) -> SourcesView:
    """Every source, or the one called `name`, with its last runs."""
    recent = _recent_runs(connection, name)
    rejected = _rejected(connection, now - DAY)
    present = {row.name: row.present for row in connection.execute(sa.select(sources.c.name, sources.c.present)).all()}
    views = []
    for vitals in read.vitals(connection):
        if name not in (None, vitals.name):
            continue
        info = info_of(vitals)
        verdict = standing(vitals, info, now)
        mine = recent.get(vitals.name, [])
        views.append(
            SourceView(
                name=vitals.name,
                title=info.title or vitals.name,
                schedule=info.schedule,
                every=info.every,
                stale_after=info.stale_after,
                next_run=iso(millis(info.next_run)) if info.next_run else None,
                fetch=info.fetch,
                lead=info.lead,
                fields=info.fields,
                expect=info.expect,
                removal=info.removal,
                quiet=info.quiet,
                aggregate=info.aggregate,
                state=verdict.state,
                since=iso_or_none(verdict.since),
                reason=verdict.reason,
                as_of=iso_or_none(vitals.as_of),
                head=vitals.head,
                present=present.get(vitals.name, 0),
                hold=vitals.hold,
                rejected=rejected.get(vitals.name, 0),
                last_run=next((run for run in reversed(mine) if run.finished), None),
                runs=mine,
            )
        )
    return SourcesView(epoch=epoch, sources=views)


def one_source(connection: sa.Connection, epoch: str, now: int, name: str) -> SourceView:
    found = source_list(connection, epoch, now, name).sources
    if not found:
        raise NotFound(f"no source is called {name!r}")
    return found[0]


def _recent_runs(connection: sa.Connection, name: str | None) -> dict[str, list[RunView]]:
    """The last runs of every source, oldest first: one statement, however many sources there are."""
    older = runs.alias()
    oldest = (
        sa.select(older.c.number)
        .where(older.c.source == sources.c.name)
        .order_by(older.c.number.desc())
        .limit(1)
        .offset(RUNS_SHOWN - 1)
        .scalar_subquery()
    )
    rows = connection.execute(
        sa.select(*_RUN)
        .join_from(
            sources,
            runs,
            (runs.c.source == sources.c.name) & (runs.c.number >= sa.func.coalesce(oldest, 0)),
            isouter=True,  # so that SQLite begins with the sources, not with all runs there ever were
        )
        .where(sa.true() if name is None else sources.c.name == name)
        .order_by(sources.c.name, runs.c.number)
    )
    found: dict[str, list[RunView]] = {}
    for row in rows:
        if row.id is not None:
            found.setdefault(row.source, []).append(run_view(row))
    return found


def _rejected(connection: sa.Connection, since: int) -> dict[str, int]:
    source = runs.c.source.concat("")  # else SQLite walks all runs in the order of their sources, to group them
    rows = connection.execute(
        sa.select(source, sa.func.sum(runs.c.rejected)).where(runs.c.started >= since).group_by(source)
    )
    return {name: int(count) for name, count in rows}


def entry_list(
    connection: sa.Connection,
    *,
    source: str | None,
    topic: str | None,
    key: str | None,
    text: str | None,
    after: str | None,
    limit: int,
) -> EntriesView:
    """Entries by their newest change, newest first. `text` is looked for in keys and values, whatever its case."""
    query = sa.select(*(entries.c[field] for field in EntryView.__struct_fields__))
    if source is not None:
        query = query.where(entries.c.source == source)
    if topic is not None:
        query = query.where(entries.c.topic == topic)
    if key is not None:
        query = query.where(entries.c.key == key)
    if text:
        query = query.where(search.holding(connection, text))
    order = (entries.c.at, entries.c.source, entries.c.offset) if source is None else (entries.c.offset,)
    query = query.order_by(*(column.desc() for column in order)).limit(limit + 1)
    if after:
        query = query.where(sa.tuple_(*order) < _position(after, len(order)))
    rows = connection.execute(query).all()
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    position = None if last is None else ":".join(str(getattr(last, column.name)) for column in order)
    return EntriesView(entries=[_entry(row) for row in shown], next=position)


def _position(after: str, parts: int) -> Any:
    """The keyset position in `after`: OFFSET, or AT:SOURCE:OFFSET."""
    pieces = after.split(":")
    if len(pieces) != parts:
        raise BadPage
    return sa.tuple_(*(piece if place == 1 else _number(piece) for place, piece in enumerate(pieces)))


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


def _entry(row: Any) -> EntryView:
    fields = dict(row._mapping)
    fields.update(at=iso(row.at), first_seen=iso(row.first_seen), data=_raw(row.data), was=_raw(row.was))
    return EntryView(**fields)


def history(connection: sa.Connection, source: str, key: str) -> HistoryView:
    """An entry's versions, newest first, at most HISTORY of them."""
    columns = [changes.c[field] for field in VersionView.__struct_fields__]
    rows = connection.execute(
        sa.select(*columns)
        .where(changes.c.source == source, changes.c.key == key)
        .order_by(changes.c.offset.desc())
        .limit(HISTORY)
    ).all()
    if not rows:
        raise NotFound(f"{source} never had an entry with the key {key!r}")
    versions = [
        VersionView(**{**row._mapping, "at": iso(row.at), "data": _raw(row.data), "was": _raw(row.was)}) for row in rows
    ]
    return HistoryView(source=source, key=key, versions=versions)


def run_list(connection: sa.Connection, *, source: str | None, after: str | None, limit: int) -> RunsView:
    """Runs in the order in which they were heard of, newest first."""
    query = sa.select(runs.c.number, *_RUN).order_by(runs.c.number.desc()).limit(limit + 1)
    if source is not None:
        query = query.where(runs.c.source == source)
    if after:
        query = query.where(runs.c.number < _number(after))
    rows = connection.execute(query).all()
    following = str(rows[limit - 1].number) if len(rows) > limit else None
    return RunsView(runs=[run_view(row) for row in rows[:limit]], next=following)


def dead_letter_list(
    connection: sa.Connection, *, source: str | None, after: str | None, limit: int
) -> DeadLettersView:
    """Rejected entries, newest first."""
    query = sa.select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit + 1)
    if source is not None:
        query = query.where(dead_letters.c.source == source)
    if after:
        query = query.where(dead_letters.c.id < _number(after))
    rows = connection.execute(query).all()
    letters = [
        DeadLetterView(
            id=row.id,
            source=row.source,
            run_id=row.run_id,
            batch_id=row.batch_id,
            index=row.position,
            key=row.key,
            error=row.error,
            payload=row.payload,
            at=iso(row.at),
        )
        for row in rows[:limit]
    ]
    return DeadLettersView(dead_letters=letters, next=str(rows[limit - 1].id) if len(rows) > limit else None)


def _number(after: str) -> int:
    """A number that the database has room for."""
    if not (after.isascii() and after.isdigit()) or len(after) > 19 or int(after) > LARGEST:
        raise BadPage
    return int(after)
