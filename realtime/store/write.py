"""The statements of the transaction. Bulk and narrow: a batch costs the same few statements whatever its size."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from realtime.store.change import Change
from realtime.store.classify import Observed, Stored
from realtime.store.schema import changes, entries, sources


class SourceRow(msgspec.Struct):
    """A source's row, locked by this transaction and written back at its end. Times are milliseconds."""

    name: str
    head: int
    floor: int
    present: int
    as_of: int | None
    snapshots: bool
    failures: int
    failing_since: int | None
    fault: str | None
    hold: int | None
    last_run: str | None
    misses: int
    hold_above: float
    aggregate: str | None  # JSON text
    ranked: str | None  # JSON text


class Value(msgspec.Struct, frozen=True):
    """What an entry is now. `data` is JSON text."""

    key: str
    version: int
    topic: str | None
    data: str
    url: str | None


def insert_ignoring(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT of this database that can say ON CONFLICT."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def among(connection: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """`column` is one of `values`, with the whole list as one parameter."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), sa.ARRAY(sa.Text)))
    each = sa.func.json_each(msgspec.json.encode(values).decode()).table_valued("value")
    return column.in_(sa.select(each.c.value))


def locked_source(connection: sa.Connection, name: str) -> SourceRow:
    """The source's row, made if it is new. Its lock orders the source's writers: that is what makes offsets gapless."""
    connection.execute(insert_ignoring(connection, sources).values(name=name).on_conflict_do_nothing())
    columns = [sources.c[field] for field in SourceRow.__struct_fields__]
    row = connection.execute(sa.select(*columns).where(sources.c.name == name).with_for_update()).one()
    return SourceRow(**row._mapping)


def update_source(connection: sa.Connection, source: SourceRow) -> None:
    values = msgspec.structs.asdict(source)
    del values["name"]
    connection.execute(sa.update(sources).where(sources.c.name == source.name).values(**values))


def stored(connection: sa.Connection, source: str, keys: Sequence[str]) -> dict[str, Stored]:
    """What is stored under these keys, without the data."""
    columns = [entries.c[field] for field in Stored.__struct_fields__]
    rows = connection.execute(
        sa.select(*columns).where(entries.c.source == source, among(connection, entries.c.key, keys))
    )
    return {row.key: Stored(*row) for row in rows}


def values(connection: sa.Connection, source: str, keys: Sequence[str]) -> dict[str, Value]:
    """What these entries are now, as far as they are known."""
    if not keys:
        return {}
    columns = [entries.c[field] for field in Value.__struct_fields__]
    rows = connection.execute(
        sa.select(*columns).where(entries.c.source == source, among(connection, entries.c.key, keys))
    )
    return {row.key: Value(*row) for row in rows}


def append(connection: sa.Connection, source: str, run_id: str, steps: Sequence[Change]) -> None:
    """Adds changes to the source's log."""
    if not steps:
        return
    fields = ("offset", "kind", "key", "version", "topic", "topic_before", "data", "was", "url", "at")
    rows = [{"source": source, "run_id": run_id, **{field: getattr(step, field) for field in fields}} for step in steps]
    connection.execute(sa.insert(changes), rows)


def put(
    connection: sa.Connection, source: str, parser: str, steps: Sequence[Change], observed: Mapping[str, Observed]
) -> None:
    """Makes the entries what their changes say."""
    if not steps:
        return
    rows = [
        {
            "source": source,
            "key": step.key,
            "offset": step.offset,
            "first_offset": step.offset,
            "version": step.version,
            "present": True,
            "misses": 0,
            "digest": observed[step.key].digest,
            "kind": step.kind,
            "topic": step.topic,
            "data": step.data,
            "was": step.was,
            "url": step.url,
            "first_seen": step.at,
            "at": step.at,
            "parser": parser,
        }
        for step in steps
    ]
    statement = insert_ignoring(connection, entries)
    kept = ("source", "key", "first_offset", "first_seen")
    statement = statement.on_conflict_do_update(
        index_elements=[entries.c.source, entries.c.key],
        set_={name: statement.excluded[name] for name in rows[0] if name not in kept},
    )
    connection.execute(statement, rows)


def mark_removed(connection: sa.Connection, source: str, steps: Sequence[Change]) -> None:
    """Makes the entries of `removed` changes absent; what they last were stays."""
    if not steps:
        return
    statement = (
        sa.update(entries)
        .where(entries.c.source == source, entries.c.key == sa.bindparam("k"))
        .values(
            offset=sa.bindparam("o"),
            version=sa.bindparam("v"),
            at=sa.bindparam("t"),
            present=False,
            misses=0,
            kind="removed",
            was=None,
        )
    )
    connection.execute(statement, [{"k": s.key, "o": s.offset, "v": s.version, "t": s.at} for s in steps])


def miss(connection: sa.Connection, source: str, keys: Sequence[str]) -> None:
    """Counts one more complete run without these keys."""
    if keys:
        connection.execute(
            sa.update(entries)
            .where(entries.c.source == source, among(connection, entries.c.key, keys))
            .values(misses=entries.c.misses + 1)
        )


def forget_misses(connection: sa.Connection, source: str, keys: Sequence[str]) -> None:
    """These keys were seen again."""
    if keys:
        connection.execute(
            sa.update(entries)
            .where(entries.c.source == source, among(connection, entries.c.key, keys))
            .values(misses=0)
        )
