"""What says of a note that it is the same one, when its transaction is run again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("notes", sa.Column("utterance", sa.String(length=32), nullable=True))
    op.create_index("notes_once", "notes", ["utterance"], unique=True)
