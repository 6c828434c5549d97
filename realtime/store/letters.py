"""Batches as a whole: the dead letter of one that can never be stored, and the receipt of one that was."""

import msgspec
import sqlalchemy as sa

from ingest_api.contract import Receipt
from ingest_api.contract.errors import BatchConflict, Buried, NotFound
from ingest_api.letter import WHOLE, Letter
from realtime.store.schema import batches, dead_letters
from realtime.store.write import insert_ignoring


def bury(connection: sa.Connection, letter: Letter, at: int) -> None:
    """Keeps a batch as a dead letter, unless it is there."""
    connection.execute(
        insert_ignoring(connection, dead_letters)
        .values(
            source=letter.source,
            run_id=letter.run_id,
            batch_id=letter.batch_id,
            position=letter.dead.rejected.index,
            error=letter.dead.rejected.error,
            payload=letter.dead.payload,
            at=at,
        )
        .on_conflict_do_nothing()
    )


def receipt(connection: sa.Connection, source: str, batch_id: str, digest: str | None) -> Receipt:
    """The receipt of a batch that was stored.

    Raises NotFound of one that was not, Buried of one that never will be, and BatchConflict when the content that was
    stored under this name has another `digest`.
    """
    row = connection.execute(
        sa.select(batches.c.digest, batches.c.receipt).where(batches.c.source == source, batches.c.batch_id == batch_id)
    ).one_or_none()
    if row is not None:
        if digest not in (None, row.digest):
            raise BatchConflict
        return msgspec.json.decode(row.receipt, type=Receipt)
    reason = connection.execute(
        sa.select(dead_letters.c.error).where(
            dead_letters.c.source == source, dead_letters.c.batch_id == batch_id, dead_letters.c.position == WHOLE
        )
    ).scalar()
    if reason is not None:
        raise Buried(reason)
    raise NotFound(f"no batch {batch_id!r} of {source!r} was stored")
