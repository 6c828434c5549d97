"""What a source had when a complete run was last believed.

Of a source that is held now that was before the held runs: what they were the first to bring is not believed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_HEAD = """
    UPDATE sources SET believed = COALESCE(
        (SELECT MIN(changes."offset") - 1 FROM changes JOIN holds ON holds.source = changes.source
         AND holds.run_id = changes.run_id WHERE changes.source = sources.name AND holds.as_of > sources.as_of),
        head) WHERE snapshots
"""
_PRESENT = """
    UPDATE sources SET believed_present = (
        SELECT COUNT(*) FROM entries
        WHERE entries.source = sources.name AND entries.present AND entries.first_offset <= sources.believed)
    WHERE snapshots
"""


def upgrade() -> None:
    op.add_column("sources", sa.Column("believed", sa.BigInteger(), nullable=True))
    op.add_column("sources", sa.Column("believed_present", sa.Integer(), nullable=False, server_default="0"))
    op.execute(_HEAD)
    op.execute(_PRESENT)
