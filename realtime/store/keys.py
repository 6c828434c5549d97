"""Looking up many keys with one parameter, by one index lookup a key whatever the statistics say.

A lateral subquery is looked up once for each key. Written as `key = ANY(keys)`, PostgreSQL may compare each key with
each entry of the source instead: among 20,000 entries 400 ms a batch, until the next ANALYZE.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from realtime.store.schema import changes, entries

_TEXTS = sa.ARRAY(sa.Text)


def among(connection: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """`column` is one of `values`, with the whole list as one parameter."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), _TEXTS))
    each = _each(values)
    return column.in_(sa.select(each.c.value))


def numbered(connection: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[int]) -> sa.ColumnElement[bool]:
    """`column` is one of these whole numbers, with the whole list as one parameter."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), sa.ARRAY(sa.BigInteger)))
    return column.in_(sa.select(_each(values).c.value))


def keyed(connection: sa.Connection, table: sa.Table, source: str, keys: Sequence[str]) -> sa.ColumnElement[bool]:
    """The rows of a table with an index on (source, key) that are these keys of this source; for a SELECT, an UPDATE or
    a DELETE of that table."""
    if connection.dialect.name == "postgresql":
        return _at(table, sa.literal(source), sa.literal(list(keys), _TEXTS))
    return (table.c.source == source) & among(connection, table.c.key, keys)


def keyed_rows(
    connection: sa.Connection, table: sa.Table, fields: tuple[str, ...], source: str, keys: Sequence[str]
) -> Sequence[Any]:
    """These fields of the same rows."""
    if connection.dialect.name == "postgresql":
        return connection.execute(_rows_at(table, fields), {"named": source, "sought": list(keys)}).all()
    return connection.exec_driver_sql(_rows_in(table, fields), (source, _json(keys))).all()


@lru_cache(maxsize=64)
def _rows_at(table: sa.Table, fields: tuple[str, ...]) -> sa.Select[Any]:
    given = sa.bindparam("sought", type_=_TEXTS)
    return sa.select(*(table.c[field] for field in fields)).where(_at(table, sa.bindparam("named"), given))


@lru_cache(maxsize=64)
def _rows_in(table: sa.Table, fields: tuple[str, ...]) -> str:
    """For the driver as it is: nothing of ours looks at each value of each row."""
    named = ", ".join(f'"{field}"' for field in fields)
    return f'SELECT {named} FROM "{table.name}" WHERE source = ? AND key IN (SELECT value FROM json_each(?))'


def _at(table: sa.Table, source: sa.ColumnElement[Any], keys: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The rows at the places that are looked up, key by key."""
    sought = sa.func.unnest(keys).table_valued("key", name="sought").render_derived()
    row = table.alias("row")
    place: sa.Select[Any] = sa.select(sa.literal_column('"row".ctid').label("ctid"))
    # asked for in the order of the key, since only the index on the key gives that: while a table is small and no
    # statistics are there, any index on the source would cost the same
    place = place.where(row.c.source == source, row.c.key >= sought.c.key, row.c.key <= sought.c.key)
    found = place.order_by(row.c.key).offset(0).lateral("found")
    places = sa.select(found.c.ctid).select_from(sought.join(found, sa.true())).scalar_subquery()
    here: sa.ColumnElement[Any] = sa.literal_column(f"{table.name}.ctid")
    return here == sa.any_(sa.func.array(places))


def newest(
    connection: sa.Connection, columns: Sequence[sa.Column[Any]], source: str, keys: Sequence[str], upto: int
) -> Any:
    """A SELECT of these columns of `changes`: of each key its newest change whose offset is at most `upto`."""
    if connection.dialect.name != "postgresql":
        each = _each(keys)
        older = changes.alias("older")
        last = (
            sa.select(sa.func.max(older.c.offset))
            .where(older.c.source == source, older.c.key == each.c.value, older.c.offset <= upto)
            .scalar_subquery()
        )
        return sa.select(*columns).where(
            changes.c.source == source, changes.c.offset.in_(sa.select(last).select_from(each))
        )
    sought = _sought(keys)
    last_of_key = sa.select(*columns).where(
        changes.c.source == source,
        changes.c.key >= sought.c.key,
        changes.c.key <= sought.c.key,
        changes.c.offset <= upto,
    )
    found = last_of_key.order_by(changes.c.key.desc(), changes.c.offset.desc()).limit(1).lateral("found")
    return sa.select(*found.c).select_from(sought.join(found, sa.true()))


def moved_on(
    connection: sa.Connection, columns: Sequence[sa.Column[Any]], source: str, after: int, upto: int
) -> sa.Select[Any]:
    """A SELECT of these columns of `changes`: between the offsets, the newest of each entry that was there before and
    changed again later."""
    last = sa.select(changes.c.key, sa.func.max(changes.c.offset).label("offset"))
    last = last.where(changes.c.source == source, changes.c.offset > after, changes.c.offset <= upto)
    last = last.group_by(changes.c.key)
    if connection.dialect.name != "postgresql":
        moved = last.join(entries, (entries.c.source == changes.c.source) & (entries.c.key == changes.c.key))
        moved = moved.where(entries.c.offset > upto, entries.c.first_offset <= after)
        offsets = moved.with_only_columns(sa.func.max(changes.c.offset))
        return sa.select(*columns).where(changes.c.source == source, changes.c.offset.in_(offsets))
    # looked up one by one, as above: joined, each change may be compared with each entry
    there = last.subquery("there")
    entry = sa.select(entries.c.offset, entries.c.first_offset).where(
        entries.c.source == source, entries.c.key >= there.c.key, entries.c.key <= there.c.key
    )
    now = entry.order_by(entries.c.key).offset(0).lateral("now")
    change = sa.select(*columns).where(
        changes.c.source == source, changes.c.offset >= there.c.offset, changes.c.offset <= there.c.offset
    )
    found = change.order_by(changes.c.offset).offset(0).lateral("found")
    all_of_it = there.join(now, sa.true()).join(found, sa.true())
    return sa.select(*found.c).select_from(all_of_it).where(now.c.offset > upto, now.c.first_offset <= after)


def _each(keys: Sequence[Any]) -> sa.TableValuedAlias:
    return sa.func.json_each(_json(keys)).table_valued("value")


def _json(keys: Sequence[Any]) -> str:
    return msgspec.json.encode(keys).decode()


def _sought(keys: Sequence[str]) -> sa.TableValuedAlias:
    return sa.func.unnest(sa.literal(list(keys), _TEXTS)).table_valued("key", name="sought").render_derived()
