"""Receipts by their age, to forget old ones."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("batches_by_time", "batches", ["source", "at"])
