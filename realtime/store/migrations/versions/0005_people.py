"""Notes between the people in a room, and who is there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("room", sa.String(length=200), nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notes_by_room", "notes", ["room", "id"], unique=False)
    op.create_table(
        "presence",
        sa.Column("room", sa.String(length=200), nullable=False),
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("process", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("room", "sid"),
    )
    op.create_index("presence_by_process", "presence", ["process", "beat"], unique=False)
    op.create_index("presence_by_beat", "presence", ["beat"], unique=False)
    op.create_index("presence_by_name", "presence", ["room", "username", "beat"], unique=False)
    op.create_index("presence_by_sid", "presence", ["sid"], unique=False)
