"""The epoch: which life of the offsets this is. A cursor of another epoch is worthless."""

import uuid
from pathlib import Path

import sqlalchemy as sa

from realtime.store.schema import meta
from realtime.store.write import insert_ignoring


def epoch_of(connection: sa.Connection) -> str:
    """The database's epoch: born with it, and another when its file was put in its place by a restore or a copy."""
    fresh = uuid.uuid4().hex[:16]
    connection.execute(insert_ignoring(connection, meta).values(name="life", value=fresh).on_conflict_do_nothing())
    life: str = connection.execute(sa.select(meta.c.value).where(meta.c.name == "life")).scalar_one()
    return f"{life}-{_body(connection)}"


def _body(connection: sa.Connection) -> str:
    """What carries the database, in a form that a restored copy does not share."""
    if connection.dialect.name == "postgresql":
        row = connection.execute(
            sa.text("SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()")
        ).one()
        return f"{row.system_identifier:x}.{row.timeline_id}"
    return f"{_inode(connection.engine.url.database or ''):x}"


def _inode(path: str) -> int:
    return Path(path).stat().st_ino
