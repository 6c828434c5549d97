"""Looking for a text in what entries hold, whatever its case: in keys and values, not in the names of fields."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from realtime.store.schema import entries


def holding(connection: sa.Connection, text: str) -> sa.ColumnElement[bool]:
    """Of `entries`: the key, or a text or number anywhere in the data, contains `text`."""
    sought = text.lower()
    written = msgspec.json.encode(sought).decode()[1:-1]  # as it would stand in the data
    likely = sa.func.lower(entries.c.data).contains(written, autoescape=True)  # the cheap look first
    values = _values_postgresql if connection.dialect.name == "postgresql" else _values_sqlite
    return sa.func.lower(_key(connection)).contains(sought, autoescape=True) | (likely & values(sought))


def _key(connection: sa.Connection) -> sa.ColumnElement[str]:
    """With the letters of the database's language: those of the column's own order are ASCII's."""
    return entries.c.key.collate("default") if connection.dialect.name == "postgresql" else entries.c.key


def _values_sqlite(sought: str) -> sa.ColumnElement[bool]:
    tree = sa.func.json_tree(entries.c.data).table_valued("atom", "type", name="tree")
    text = sa.func.lower(sa.cast(tree.c.atom, sa.Text))
    kinds = tree.c.type.in_(("text", "integer", "real"))
    return sa.select(1).select_from(tree).where(kinds, text.contains(sought, autoescape=True)).exists()


def _values_postgresql(sought: str) -> sa.ColumnElement[bool]:
    everything = sa.func.jsonb_path_query(sa.cast(entries.c.data, JSONB), sa.cast("$.**", JSONPATH))
    pieces = everything.table_valued(sa.column("value", JSONB), name="piece").render_derived()
    text = sa.func.lower(pieces.c.value.op("#>>")(sa.literal_column("'{}'::text[]")))
    kinds = sa.func.jsonb_typeof(pieces.c.value).in_(("string", "number"))
    return sa.select(1).select_from(pieces).where(kinds, text.contains(sought, autoescape=True)).exists()
