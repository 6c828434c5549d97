"""Trimming a log: what happened long ago goes, except what later changes are told from.

In two steps, a while apart, so that every process knows the floor before anything below it is gone: `raise_floor`, from
when on a cursor below it gets a snapshot, and `trim`. Of each key the newest change at or below the floor stays: it is
what a room that stands at the floor has.
"""

import sqlalchemy as sa

from ingest_api.contract.source import CANDLES
from realtime.store import write
from realtime.store.keys import newest, numbered
from realtime.store.schema import changes, sources

PIECE = 500  # changes that are looked at in one transaction


def floors(connection: sa.Connection) -> dict[str, int]:
    """The floor of every source whose log may be trimmed; ticks and candles have rules of their own."""
    rows = connection.execute(sa.select(sources.c.name, sources.c.floor).where(sources.c.aggregate.is_(None))).all()
    return {row.name: row.floor for row in rows if not row.name.endswith(CANDLES)}


def raise_floor(connection: sa.Connection, source: str, before: int) -> bool:
    """Moves the floor up to the first change that was observed at `before` (milliseconds) or later, by at most PIECE
    changes; whether there is more to do. The newest change stays above it."""
    row = write.locked_source(connection, source)
    most = min(row.floor + PIECE, row.head - 1)
    piece = (changes.c.source == source) & (changes.c.offset > row.floor) & (changes.c.offset <= most)
    young = connection.execute(sa.select(sa.func.min(changes.c.offset)).where(piece, changes.c.at >= before)).scalar()
    upto = most if young is None else young - 1
    if upto <= row.floor:
        return False
    row.floor = upto
    write.update_source(connection, row)
    return young is None and upto < row.head - 1


def trim(connection: sa.Connection, source: str, after: int, floor: int) -> int | None:
    """Deletes what is superseded at the floor, among the PIECE changes beyond `after`; where to go on, or None at the
    floor."""
    rows = connection.execute(
        sa.select(changes.c.offset, changes.c.key)
        .where(changes.c.source == source, changes.c.offset > after, changes.c.offset <= floor)
        .order_by(changes.c.offset)
        .limit(PIECE)
    ).all()
    keys = list({row.key for row in rows})
    kept = set(connection.execute(newest(connection, [changes.c.offset], source, keys, floor)).scalars())
    gone = [row.offset for row in rows if row.offset not in kept]
    if gone:
        connection.execute(
            sa.delete(changes).where(changes.c.source == source, numbered(connection, changes.c.offset, gone))
        )
    return rows[-1].offset if len(rows) == PIECE else None
