"""The epoch: which life of the offsets this is. A cursor of another epoch is worthless."""

import uuid
from pathlib import Path

import sqlalchemy as sa

from realtime.errors import StoreBroken
from realtime.store.schema import meta
from realtime.store.write import insert_ignoring

# The timeline is the one that is written now: the control file's goes on naming the old one after a promotion, until
# the next checkpoint. The numbers of the database and of the table are others after a dump was restored.
_BODY = """
    SELECT system_identifier::text AS cluster, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline,
        (SELECT oid FROM pg_database WHERE datname = current_database())::bigint AS database,
        'meta'::regclass::oid::bigint AS made
    FROM pg_control_system()
"""


def epoch_of(connection: sa.Connection) -> str:
    """The database's epoch: born with it, and another after a restore, a copy or a failover."""
    fresh = uuid.uuid4().hex[:16]
    connection.execute(insert_ignoring(connection, meta).values(name="life", value=fresh).on_conflict_do_nothing())
    return standing_epoch(connection)


def end_life(connection: sa.Connection) -> None:
    """The offsets were taken back: they begin another life, in which they may mean something else."""
    connection.execute(sa.delete(meta).where(meta.c.name == "life"))


def standing_epoch(connection: sa.Connection) -> str:
    """The epoch of a database that has one."""
    life: str = connection.execute(sa.select(meta.c.value).where(meta.c.name == "life")).scalar_one()
    return f"{life}-{_body(connection)}"


def _body(connection: sa.Connection) -> str:
    """What carries the database, in a form that a restored copy does not share."""
    if connection.dialect.name != "postgresql":
        return f"{Path(connection.engine.url.database or '').stat().st_ino:x}"
    try:
        row = connection.execute(sa.text(_BODY)).one()
    except sa.exc.ProgrammingError as error:
        raise StoreBroken(
            "PostgreSQL does not tell this user which cluster it is, so that a failover could go unseen: "
            "GRANT EXECUTE ON FUNCTION pg_control_system() TO the user"
        ) from error
    return f"{int(row.cluster):x}.{int(row.timeline, 16):x}.{row.database:x}.{row.made:x}"
