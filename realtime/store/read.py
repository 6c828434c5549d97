"""What the feed reads: vitals, the log, and states to catch up from. Every query is narrow, bounded and on an index."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from realtime.store.change import STATE_ONLY, Change, Stretch, fitting
from realtime.store.configured import info_in
from realtime.store.keys import moved_on, newest
from realtime.store.schema import changes, entries, runs, sources
from realtime.store.standing import Vitals

Matches = Callable[[str, str | None, str], bool]
"""Whether an entry with this key, topic and data (JSON text) is in a room."""

PAGE = 500  # changes read and sent at a time

_LOG = [changes.c[field] for field in Change.__struct_fields__ if field not in STATE_ONLY]
_STATE = [entries.c[f] for f in ("offset", "kind", "key", "version", "topic", "data", "was", "url", "at")]


class Had(NamedTuple):
    """What a room had of an entry: its version, topic and data (JSON text) then."""

    version: int
    topic: str | None
    data: str


def vitals(connection: sa.Connection) -> list[Vitals]:
    """Every source, by name."""
    columns = [sources.c[field] for field in Vitals.__struct_fields__]
    return [Vitals(*row) for row in connection.execute(sa.select(*columns).order_by(sources.c.name))]


def running(connection: sa.Connection, since: int) -> dict[str, int]:
    """How they fetch -> runs that began after `since` (milliseconds) and did not end."""
    rows = connection.execute(
        sa.select(sources.c.name, sources.c.info, sa.func.count().label("runs"))
        .join_from(runs, sources, sources.c.name == runs.c.source)
        .where(runs.c.started > since, runs.c.finished.is_(None), runs.c.state == "running")
        .group_by(sources.c.name, sources.c.info)
    )
    found = {"http": 0, "browser": 0}
    for row in rows:
        fetch = info_in(row.name, row.info).fetch or "http"
        found[fetch] = found.get(fetch, 0) + row.runs
    return found


def head(connection: sa.Connection, source: str) -> int:
    """The offset of the newest change of a source; 0 when there is none."""
    return connection.execute(sa.select(sources.c.head).where(sources.c.name == source)).scalar() or 0


def log(connection: sa.Connection, source: str, after: int, limit: int = PAGE) -> Stretch:
    """The log of a source beyond `after`: a piece of it, at most `limit` changes."""
    rows = connection.execute(
        sa.select(changes.c.run_id, *_LOG)
        .where(changes.c.source == source, changes.c.offset > after)
        .order_by(changes.c.offset)
        .limit(limit)
    ).all()
    found = [Change(*row[1:]) for row in rows]
    found = found[: fitting(found)]
    runs_of_it = list(dict.fromkeys(row.run_id for row in rows[: len(found)]))
    return Stretch(source, after, found[-1].offset if found else after, found, runs_of_it)


def states(connection: sa.Connection, source: str, after: int, matches: Matches, limit: int = PAGE) -> Stretch:
    """What a room that stands at `after` lacks: the newest version of every entry whose offset is beyond it.

    One entry is one change, however often it changed; its kind is told from what the log says the room had at `after`.
    Covers the whole log as this transaction sees it, or as much of it as a piece of at most `limit` entries takes. Of
    the entries that have moved on, beyond such a part, it tells those that had left the room by its end: the next page
    begins there, and from there they were never in it.
    """
    rows = connection.execute(
        sa.select(*_STATE, entries.c.first_offset, entries.c.present)
        .where(entries.c.source == source, entries.c.offset > after)
        .order_by(entries.c.offset)
        .limit(limit)
    ).all()
    whole = len(rows) < limit and fitting(rows) == len(rows)
    rows = rows[: fitting(rows)]
    had = _had(connection, source, after, [row.key for row in rows if row.first_offset <= after], matches)
    found: list[Change] = []
    for row in rows:
        there = had.get(row.key)
        has = row.present and matches(row.key, row.topic, row.data)
        if has or there is not None:
            found.append(_state(row, there, has))
    if whole:
        return Stretch(source, after, max(after, head(connection, source)), found)
    upto = rows[-1].offset
    left = _left(connection, source, after, upto, matches)
    return Stretch(source, after, upto, sorted([*found, *left], key=lambda change: change.offset))


def _left(connection: sa.Connection, source: str, after: int, upto: int, matches: Matches) -> Iterator[Change]:
    """The entries that changed in this part of the log, and again beyond it, and that a room had at its beginning but
    not at its end."""
    rows = connection.execute(moved_on(connection, _LOG, source, after, upto))
    last = [Change(*row) for row in rows]
    gone = [c for c in last if c.kind == "removed" or not matches(c.key, c.topic, c.data)]
    had = _had(connection, source, after, [change.key for change in gone], matches)
    for change in gone:
        if there := had.get(change.key):
            yield msgspec.structs.replace(
                change, kind="removed", newest=change.kind, topic_before=there.topic, data_before=there.data
            )


def _state(row: Any, there: Had | None, has: bool) -> Change:
    """An entry as one step from what a room had to what it has."""
    if not has:
        kind = "removed"
    elif there is None:
        kind = "new"
    else:
        kind = "corrected" if row.kind == "corrected" and row.version == there.version + 1 else "changed"
    return Change(
        offset=row.offset,
        kind=kind,  # type: ignore[arg-type]
        key=row.key,
        version=row.version,
        topic=row.topic,
        topic_before=there.topic if there else None,
        data=row.data,
        was=row.was,
        url=row.url,
        at=row.at,
        newest=row.kind,
        data_before=there.data if there else None,
    )


def _had(connection: sa.Connection, source: str, after: int, keys: Sequence[str], matches: Matches) -> dict[str, Had]:
    """Of `keys` those that a room had at `after`."""
    if not after or not keys:
        return {}
    columns = [changes.c[field] for field in ("key", "version", "topic", "kind", "data")]
    rows = connection.execute(newest(connection, columns, source, keys, after))
    return {
        row.key: Had(row.version, row.topic, row.data)
        for row in rows
        if row.kind != "removed" and matches(row.key, row.topic, row.data)
    }
