"""Forgetting: ticks and candles that are older than they are to be kept, and steps of candles that nobody needs again.

What is forgotten is not `removed`: nothing happened to it. It is below the floor of its source's log, and a follower
whose cursor is below the floor starts from a snapshot. Time is the source's own (`as_of`), which never goes back,
except from a future that a wrong clock told; so what was forgotten once is refused for ever as too old, and no resend
can count it again.

Each batch forgets some, and about twice as much as it brought: there is no pause, and no other process to run.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from ingest_api.contract import Aggregate
from realtime.store import ranking
from realtime.store.classify import Observed
from realtime.store.configured import aggregate_in
from realtime.store.keys import keyed, older_than
from realtime.store.schema import batches, candles, changes, entries
from realtime.store.write import SourceRow

STEPS_KEPT = 600.0  # seconds that the steps of a candle stay; its newest state stays as long as the candle
RECEIPTS = 10  # that a batch may forget
LEAST = 100  # rows that a batch may forget, however small it is


def timely(source: SourceRow, observed: list[Observed]) -> list[Observed]:
    """The entries that are not older than their source keeps them."""
    before = _before(source, aggregate_in(source.aggregate))
    return observed if before is None else [entry for entry in observed if entry.at >= before]


def forget_entries(connection: sa.Connection, source: SourceRow, brought: int) -> None:
    """Forgets the entries at the beginning of the log that are too old; moves the floor of `source`."""
    before = _before(source, aggregate_in(source.aggregate))
    if before is None:
        return
    _forget_receipts(connection, source, before)
    upto = _old(connection, source, 2 * brought + LEAST, before)
    if upto == source.floor:
        return
    old = (entries.c.source == source.name) & (entries.c.offset <= upto)
    keys: Sequence[str] = connection.execute(sa.select(entries.c.key).where(old)).scalars().all()
    if keys:
        connection.execute(sa.delete(changes).where(keyed(connection, changes, source.name, keys)))
        ranking.drop(connection, source, keys)
    source.present -= connection.execute(sa.delete(entries).where(old, entries.c.present)).rowcount
    connection.execute(sa.delete(entries).where(old))
    source.floor = upto


def forget_steps(connection: sa.Connection, derived: SourceRow, brought: int) -> None:
    """Forgets the old steps of candles; of each candle the newest step below the floor stays, which says what it was
    there. Moves the floor of `derived`."""
    if derived.as_of is None:
        return
    upto = _old(connection, derived, 2 * brought + LEAST, derived.as_of - STEPS_KEPT * 1000)
    if upto == derived.floor:
        return
    newest = connection.execute(
        sa.select(changes.c.key, sa.func.max(changes.c.offset))
        .where(changes.c.source == derived.name, changes.c.offset > derived.floor, changes.c.offset <= upto)
        .group_by(changes.c.key)
    ).all()
    older = older_than(connection, derived.name, [(key, offset) for key, offset in newest])
    connection.execute(sa.delete(changes).where(older))
    derived.floor = upto


def forget_candles(connection: sa.Connection, derived: SourceRow, keep: float | None, brought: int) -> None:
    """Forgets closed candles that ended longer than `keep` seconds ago."""
    if keep is None or derived.as_of is None:
        return
    old = (
        sa.select(candles.c.key)
        .where(candles.c.source == derived.name, candles.c.closed, candles.c.ends <= derived.as_of - keep * 1000)
        .order_by(candles.c.ends)
        .limit(2 * brought + LEAST)
    )
    over: Sequence[str] = connection.execute(old).scalars().all()
    below = keyed(connection, entries, derived.name, over) & (entries.c.offset <= derived.floor)
    keys: Sequence[str] = connection.execute(sa.select(entries.c.key).where(below)).scalars().all() if over else []
    if not keys:
        return
    ranking.drop(connection, derived, keys)
    for table in (candles, entries, changes):
        connection.execute(sa.delete(table).where(keyed(connection, table, derived.name, keys)))
    derived.present -= len(keys)


def _forget_receipts(connection: sa.Connection, source: SourceRow, before: float) -> None:
    """Receipts of batches whose entries are all too old: sent again, such a batch is refused entry by entry."""
    old = (
        sa.select(batches.c.batch_id)
        .where(batches.c.source == source.name, batches.c.at < before)
        .order_by(batches.c.at)
        .limit(RECEIPTS)
    )
    mine = (batches.c.source == source.name) & batches.c.batch_id.in_(old)
    connection.execute(sa.delete(batches).where(mine))


def _before(source: SourceRow, config: Aggregate | None) -> float | None:
    """The time (milliseconds) before which entries are too old; None where they are kept for ever: a source that shows
    all it has says itself what is gone."""
    if config is None or config.retention is None or source.as_of is None or source.snapshots:
        return None
    return source.as_of - config.retention * 1000


def _old(connection: sa.Connection, source: SourceRow, most: int, before: float) -> int:
    """The offset up to which the log is older than `before`, at most so many steps beyond the floor: all of them, or
    none, since `brought` steps come for every two that may go."""
    upto = min(source.floor + most, source.head)
    newest = connection.execute(
        sa.select(sa.func.max(changes.c.at)).where(
            changes.c.source == source.name, changes.c.offset > source.floor, changes.c.offset <= upto
        )
    ).scalar()
    return upto if newest is not None and newest < before else source.floor
