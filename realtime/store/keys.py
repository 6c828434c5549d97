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
_NUMBERS = sa.ARRAY(sa.BigInteger)


def among(connection: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """`column` is one of `values`, with the whole list as one parameter."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), _TEXTS))
    each = _each(values)
    return column.in_(sa.select(each.c.value))


def numbered(connection: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[int]) -> sa.ColumnElement[bool]:
    """`column` is one of these whole numbers, with the whole list as one parameter."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), _NUMBERS))
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


def paired(
    connection: sa.Connection, table: sa.Table, field: str, fields: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> sa.Select[Any]:
    """A SELECT of these fields of a table with an index on (source, `field`): its rows that are these pairs."""
    if connection.dialect.name != "postgresql":
        source, value = _parts(each := _each(pairs))
        mine = (table.c.source == source) & (table.c[field] == value)
        return sa.select(*(table.c[name] for name in fields)).select_from(each.join(table, mine))
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    sought = _both(("source", "value"), sa.literal(first, _TEXTS), sa.literal(second, _TEXTS))
    row = sa.select(*(table.c[name] for name in fields))
    row = row.where(table.c.source == sought.c.source, table.c[field] >= sought.c.value)
    row = row.where(table.c[field] <= sought.c.value)
    found = row.order_by(table.c[field]).offset(0).lateral("found")
    return sa.select(*(found.c[name] for name in fields)).select_from(sought.join(found, sa.true()))


def older_than(connection: sa.Connection, source: str, newest: Sequence[tuple[str, int]]) -> sa.ColumnElement[bool]:
    """The rows of `changes` that are older ones of these (key, offset); for a DELETE."""
    row = changes.alias("row")
    if connection.dialect.name != "postgresql":
        key, offset = _parts(each := _each(newest))
        mine = (row.c.source == source) & (row.c.key == key) & (row.c.offset < offset)
        offsets = sa.select(row.c.offset).select_from(each.join(row, mine))
        return (changes.c.source == source) & changes.c.offset.in_(offsets)
    keys, offsets_of = [key for key, _ in newest], [offset for _, offset in newest]
    sought = _both(("key", "offset"), sa.literal(keys, _TEXTS), sa.literal(offsets_of, _NUMBERS))
    place: sa.Select[Any] = sa.select(sa.literal_column('"row".ctid').label("ctid"))
    place = place.where(row.c.source == source, row.c.key >= sought.c.key, row.c.key <= sought.c.key)
    place = place.where(row.c.offset < sought.c.offset)
    return _placed(changes, sought, place.order_by(row.c.key).offset(0).lateral("found"))


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
    return _placed(table, sought, place.order_by(row.c.key).offset(0).lateral("found"))


def _placed(table: sa.Table, sought: sa.FromClause, found: sa.FromClause) -> sa.ColumnElement[bool]:
    """The rows of a table whose `ctid` was found for each that is sought."""
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


def _parts(each: sa.TableValuedAlias) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Of each pair its first and its second."""
    return sa.func.json_extract(each.c.value, "$[0]"), sa.func.json_extract(each.c.value, "$[1]")


def _both(names: tuple[str, str], first: sa.ColumnElement[Any], second: sa.ColumnElement[Any]) -> sa.TableValuedAlias:
    """Two lists of the same length, side by side."""
    return sa.func.unnest(first, second).table_valued(*names, name="sought").render_derived()


def _json(keys: Sequence[Any]) -> str:
    return msgspec.json.encode(keys).decode()


def _sought(keys: Sequence[str]) -> sa.TableValuedAlias:
    return sa.func.unnest(sa.literal(list(keys), _TEXTS)).table_valued("key", name="sought").render_derived()
