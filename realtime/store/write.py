"""The statements of the transaction. Bulk and narrow: a batch costs the same few statements whatever its size."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from realtime.store import bulk
from realtime.store.change import Change
from realtime.store.classify import Observed, Stored
from realtime.store.keys import keyed, keyed_rows
from realtime.store.schema import changes, entries, sources

_STEP = ("offset", "kind", "key", "version", "topic", "topic_before", "data", "was", "url", "at")
_step = attrgetter(*_STEP)
_STAND = ("key", "offset", "version", "kind", "topic", "data", "was", "url", "at")
_stand = attrgetter(*_STAND)


class SourceRow(msgspec.Struct):
    """A source's row, locked by this transaction and written back at its end. Times are milliseconds."""

    name: str
    head: int
    floor: int
    present: int
    as_of: int | None
    snapshots: bool
    believed: int | None
    believed_present: int
    failures: int
    failing_since: int | None
    fault: str | None
    hold: int | None
    last_run: str | None
    misses: int
    hold_above: float
    aggregate: str | None  # JSON text
    ranked: str | None  # JSON text


# made once: for a small batch, making a statement takes longer than running it
_LOCKED = (
    sa.select(*(sources.c[field] for field in SourceRow.__struct_fields__))
    .where(sources.c.name == sa.bindparam("named"))
    .with_for_update()
)
_MOVED = (
    sa.update(sources)
    .where(sources.c.name == sa.bindparam("named"))
    .values({field: sa.bindparam(field) for field in SourceRow.__struct_fields__ if field != "name"})
)


class Value(msgspec.Struct, frozen=True):
    """What an entry is now. `data` is JSON text."""

    key: str
    version: int
    topic: str | None
    data: str
    url: str | None


def insert_ignoring(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT of this database that can say ON CONFLICT."""
    return insert_ignoring_on(connection.dialect.name, table)


def insert_ignoring_on(dialect: str, table: sa.Table) -> Any:
    """The same, by the name of the database."""
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def locked_source(connection: sa.Connection, name: str) -> SourceRow:
    """The source's row, made if it is new. Its lock orders the source's writers: that is what makes offsets gapless."""
    row = connection.execute(_LOCKED, {"named": name}).one_or_none()
    if row is None:
        connection.execute(insert_ignoring(connection, sources).values(name=name).on_conflict_do_nothing())
        row = connection.execute(_LOCKED, {"named": name}).one()
    return SourceRow(*row)


def update_source(connection: sa.Connection, source: SourceRow) -> None:
    values = msgspec.structs.asdict(source)
    connection.execute(_MOVED, {"named": values.pop("name"), **values})


def stored(connection: sa.Connection, source: str, keys: Sequence[str]) -> dict[str, Stored]:
    """What is stored under these keys, without the data."""
    rows = keyed_rows(connection, entries, Stored.__struct_fields__, source, keys)
    return {row[0]: Stored(*row) for row in rows}


def values(connection: sa.Connection, source: str, keys: Sequence[str]) -> dict[str, Value]:
    """What these entries are now, as far as they are known."""
    if not keys:
        return {}
    rows = keyed_rows(connection, entries, Value.__struct_fields__, source, keys)
    return {row[0]: Value(*row) for row in rows}


def append(connection: sa.Connection, source: str, run_id: str, steps: Sequence[Change]) -> None:
    """Adds changes to the source's log."""
    bulk.insert(connection, changes, ("source", "run_id", *_STEP), [(source, run_id, *_step(step)) for step in steps])


def put(
    connection: sa.Connection, source: str, parser: str, steps: Sequence[Change], observed: Mapping[str, Observed]
) -> None:
    """Makes the entries what their changes say."""
    columns = ("source", "first_offset", "first_seen", "present", "misses", "digest", "parser", *_STAND)
    first: list[tuple[Any, ...]] = []  # of keys that are nowhere
    again: list[tuple[Any, ...]] = []
    for step in steps:
        row = (source, step.offset, step.at, True, 0, observed[step.key].digest, parser, *_stand(step))
        (first if step.version == 1 else again).append(row)
    bulk.insert(connection, entries, columns, first)
    bulk.insert(connection, entries, columns, again, renew=("present", "misses", "digest", "parser", *_STAND[1:]))


def mark_removed(connection: sa.Connection, source: str, steps: Sequence[Change]) -> None:
    """Makes the entries of `removed` changes absent; what they last were stays."""
    rows = [(source, step.offset, step.at, False, 0, b"", "", *_stand(step)) for step in steps]
    bulk.insert(
        connection,
        entries,
        ("source", "first_offset", "first_seen", "present", "misses", "digest", "parser", *_STAND),
        rows,  # each of them is there: only what follows is taken from it
        renew=("present", "misses", "offset", "version", "kind", "was", "at"),
    )


def miss(connection: sa.Connection, source: str, keys: Sequence[str]) -> None:
    """Counts one more complete run without these keys."""
    if keys:
        connection.execute(
            sa.update(entries).where(keyed(connection, entries, source, keys)).values(misses=entries.c.misses + 1)
        )


def forget_misses(connection: sa.Connection, source: str, keys: Sequence[str]) -> None:
    """These keys were seen again."""
    if keys:
        connection.execute(sa.update(entries).where(keyed(connection, entries, source, keys)).values(misses=0))
