"""What nobody asks for any more, deleted a piece at a time. Each function returns whether a whole piece went."""

import sqlalchemy as sa

from realtime.store.keys import among, numbered
from realtime.store.schema import activity, batches, runs

PIECE = 500  # rows that one transaction deletes


def old_batches(connection: sa.Connection, source: str, before: int) -> bool:
    """Receipts from before `before` (milliseconds): a batch that is sent again after that is a new one."""
    old = (
        sa.select(batches.c.batch_id)
        .where(batches.c.source == source, batches.c.at < before)
        .order_by(batches.c.at)
        .limit(PIECE)
    )
    gone = connection.execute(old).scalars().all()
    return _delete(
        connection, batches, (batches.c.source == source) & among(connection, batches.c.batch_id, list(gone)), len(gone)
    )


def old_runs(connection: sa.Connection, source: str, keep: int) -> bool:
    """All runs of a source but the newest `keep`."""
    oldest = (
        sa.select(runs.c.number).where(runs.c.source == source).order_by(runs.c.number.desc()).limit(1).offset(keep)
    )
    last = connection.execute(oldest).scalar()
    if last is None:
        return False
    old = sa.select(runs.c.number).where(runs.c.source == source, runs.c.number <= last)
    gone = connection.execute(old.order_by(runs.c.number).limit(PIECE)).scalars().all()
    return _delete(connection, runs, numbered(connection, runs.c.number, list(gone)), len(gone))


def old(connection: sa.Connection, table: sa.Table, before: int) -> bool:
    """Rows from before `before` (milliseconds) of a table whose rows are numbered as they come."""
    first = sa.select(table.c.id, table.c.at).order_by(table.c.id).limit(PIECE)
    gone = [row.id for row in connection.execute(first) if row.at < before]
    return _delete(connection, table, numbered(connection, table.c.id, gone), len(gone))


def many(connection: sa.Connection, table: sa.Table, keep: int) -> bool:
    """All rows of such a table but the newest `keep`."""
    newest = sa.select(table.c.id).order_by(table.c.id.desc()).limit(1).offset(keep)
    last = connection.execute(newest).scalar()
    if last is None:
        return False
    first = sa.select(table.c.id).where(table.c.id <= last).order_by(table.c.id).limit(PIECE)
    gone = connection.execute(first).scalars().all()
    return _delete(connection, table, numbered(connection, table.c.id, list(gone)), len(gone))


def old_activity(connection: sa.Connection, before: int) -> bool:
    """The minutes before `before` (milliseconds), each whole."""
    first = sa.select(activity.c.minute).where(activity.c.minute < before).order_by(activity.c.minute).limit(PIECE)
    gone = connection.execute(first).scalars().all()
    return _delete(connection, activity, activity.c.minute <= max(gone, default=0), len(gone))


def _delete(connection: sa.Connection, table: sa.Table, which: sa.ColumnElement[bool], count: int) -> bool:
    if count:
        connection.execute(sa.delete(table).where(which))
    return count == PIECE
