"""Top lists and candles."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sources", sa.Column("aggregate", sa.Text(), nullable=True))
    op.add_column("sources", sa.Column("ranked", sa.Text(), nullable=True))
    op.create_table(
        "numbers",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("source", "key", "field"),
    )
    op.create_index("numbers_by_topic", "numbers", ["source", "field", "topic", "value", "key"])
    op.create_index("numbers_by_value", "numbers", ["source", "field", "value", "key"])
    op.create_table(
        "candles",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("symbol", sa.String(length=200), nullable=False),
        sa.Column("window", sa.String(length=10), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.String(length=80), nullable=False),
        sa.Column("high", sa.String(length=80), nullable=False),
        sa.Column("low", sa.String(length=80), nullable=False),
        sa.Column("close", sa.String(length=80), nullable=False),
        sa.Column("sum", sa.String(length=80), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("volume", sa.String(length=80), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("first_key", sa.String(length=200), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("last_key", sa.String(length=200), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key"),
    )
    op.create_index("candles_by_start", "candles", ["source", "window", "symbol", "start"], unique=True)
    op.create_index("candles_due", "candles", ["source", "closed", "ends"])
