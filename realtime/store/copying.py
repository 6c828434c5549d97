"""A database copied into another one, SQLite or PostgreSQL either way, as it was at one moment.

Both have the same version of the schema, which need not be this program's: tables are taken as they are found.
What belongs to running processes stays behind: leases, and who is present.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from realtime.errors import RealtimeError
from realtime.store import bulk
from realtime.store.schema import leases, meta, metadata, presence

PIECE = 2000  # rows read and written at a time
_LEFT_BEHIND = (leases.name, presence.name)

Told = Callable[[str, int], None]
"""Is told a table's name and how many of its rows are copied so far."""


class NotEmpty(RealtimeError):
    """There is something in this database: a copy goes into an empty one."""


def copy(source: sa.Engine, target: sa.Engine, told: Told = lambda table, rows: None) -> dict[str, int]:
    """Copies all of `source`, read in one transaction, into the empty `target` whose schema is the same; returns how
    many rows each table has. Raises NotEmpty, and then nothing was written.

    The copy is another life of the offsets: who followed the first one starts from a snapshot.
    """
    with source.connect() as reading, target.connect() as writing:
        if reading.dialect.name == "postgresql":
            reading = reading.execution_options(isolation_level="REPEATABLE READ")
        with reading.begin(), writing.begin():
            tables = _tables(reading)
            if any(writing.execute(sa.select(each).limit(1)).first() for each in tables if each.name != meta.name):
                raise NotEmpty
            writing.execute(sa.delete(meta))
            copied = {table.name: _copy_table(reading, writing, table, told) for table in tables}
            writing.execute(sa.update(meta).where(meta.c.name == "life").values(value=uuid4().hex[:16]))
            if writing.dialect.name == "postgresql":
                _count_on(writing, tables)
    return copied


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """As they are there. A database may also hold tables of somebody else."""
    found = sa.MetaData()
    found.reflect(connection, only=lambda name, _: name in metadata.tables and name not in _LEFT_BEHIND)
    return found.sorted_tables


def _copy_table(reading: sa.Connection, writing: sa.Connection, table: sa.Table, told: Told) -> int:
    columns = tuple(column.name for column in table.columns)
    rows = reading.execution_options(yield_per=PIECE).execute(sa.select(*(table.c[name] for name in columns)))
    copied = 0
    for piece in _pieces(rows):
        bulk.insert(writing, table, columns, piece)
        copied += len(piece)
        told(table.name, copied)
    return copied


def _pieces(rows: sa.CursorResult[Any]) -> Iterator[Sequence[tuple[Any, ...]]]:
    each = (tuple(row) for row in rows)
    while piece := list(islice(each, PIECE)):
        yield piece


def _count_on(connection: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """Numbers that PostgreSQL gives by itself go on after those that were copied."""
    for table in tables:
        for column in metadata.tables[table.name].primary_key:
            if column.autoincrement is True:
                last = sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()
                name = sa.func.pg_get_serial_sequence(table.name, column.name)
                connection.execute(sa.select(sa.func.setval(name, last + 1, False)))
