"""Many rows with one statement: see docs/decisions.md for what was measured."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

Columns = tuple[str, ...]

TOGETHER = 50  # rows of one statement of SQLite's: at each the driver lets Python's lock go and takes it again


def insert(
    connection: sa.Connection, table: sa.Table, columns: Columns, rows: Sequence[tuple[Any, ...]], renew: Columns = ()
) -> None:
    """Inserts rows; of a row whose primary key is there already, `renew` names what becomes as in the new one.

    Without `renew` such a row is an error.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql" and not renew:
        _copy(connection, table, columns, rows)
    elif connection.dialect.name == "postgresql":
        connection.execute(_from_json(table, columns, renew), {"rows": _json(columns, rows)})
    else:
        whole = len(rows) - len(rows) % TOGETHER
        if whole:
            together = [tuple(chain.from_iterable(rows[n : n + TOGETHER])) for n in range(0, whole, TOGETHER)]
            connection.exec_driver_sql(_for_driver(table, columns, renew, TOGETHER), together)
        if whole < len(rows):
            connection.exec_driver_sql(_for_driver(table, columns, renew, 1), list(rows[whole:]))


def _copy(connection: sa.Connection, table: sa.Table, columns: Columns, rows: Sequence[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(_into(table, columns)) as copying:
            for row in rows:
                copying.write_row(row)
    except psycopg.Error as error:
        raise sa.exc.DBAPIError.instance(f"COPY {table.name}", None, error, psycopg.Error) from error


@lru_cache(maxsize=64)
def _into(table: sa.Table, columns: Columns) -> str:
    named = ", ".join(f'"{name}"' for name in columns)
    return f'COPY "{table.name}" ({named}) FROM STDIN'


@lru_cache(maxsize=64)
def _from_json(table: sa.Table, columns: Columns, renew: Columns) -> sa.Insert:
    """All rows as one parameter."""
    typed = [sa.column(name, table.c[name].type) for name in columns]
    given = sa.func.json_to_recordset(sa.cast(sa.bindparam("rows", type_=sa.Text), postgresql.JSON))
    rows = given.table_valued(*typed).render_derived(name="given", with_types=True)
    statement = postgresql.insert(table).from_select(list(columns), sa.select(*(rows.c[name] for name in columns)))
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={name: statement.excluded[name] for name in renew}
    )


def _json(columns: Columns, rows: Sequence[tuple[Any, ...]]) -> str:
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    return msgspec.json.encode(_readable(objects)).decode()


def _readable(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bytes as PostgreSQL reads them in a text."""
    binary = [name for name, value in objects[0].items() if isinstance(value, bytes)]
    for name in binary:
        for row in objects:
            row[name] = "\\x" + row[name].hex()
    return objects


@lru_cache(maxsize=64)
def _for_driver(table: sa.Table, columns: Columns, renew: Columns, rows: int) -> str:
    """The statement that the driver runs for each so many rows, with nothing of ours between them."""
    named, places = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    statement = f'INSERT INTO "{table.name}" ({named}) VALUES ' + ", ".join([f"({places})"] * rows)
    if not renew:
        return statement
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    return f"{statement} ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(f'"{c}" = excluded."{c}"' for c in renew)
