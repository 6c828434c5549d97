"""Words are compared byte by byte on PostgreSQL too: see `schema`. The indexes on them are built anew, no table is."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_WORDS = """
    SELECT table_name, string_agg(
        format('ALTER COLUMN %I TYPE varchar(%s) COLLATE "C"', column_name, character_maximum_length), ', ')
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = ANY(:tables) AND data_type = 'character varying'
    GROUP BY table_name
"""
_TABLES = (
    *("activity", "batches", "candles", "changes", "dead_letters", "entries", "holds", "leases", "meta", "notes"),
    *("numbers", "presence", "revoked", "runs", "sources"),
)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for table, alterations in connection.execute(sa.text(_WORDS), {"tables": list(_TABLES)}).all():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {alterations}')
