"""Since when a source keeps a field in order, and when it was last asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("sources", sa.Column("asked", sa.Text(), nullable=True))
