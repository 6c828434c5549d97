"""The transaction: a batch becomes changes with gapless offsets, or it becomes nothing.

Every function here runs inside a transaction that the caller began, and raises a ContractError before it writes.
"""

from collections import Counter
from operator import attrgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest_api.contract import Batch, Receipt, Submission
from ingest_api.contract.errors import BatchConflict
from realtime.store import activity, forget, holding, ranking, write
from realtime.store.aggregate import aggregated, refuse_reserved
from realtime.store.change import Stretch
from realtime.store.classify import Observed, classify, observed
from realtime.store.moments import ahead, millis
from realtime.store.schema import batches, dead_letters, runs, sources
from realtime.store.steps import changes_of

_at = attrgetter("at")
_COUNTS = ("new", "changed", "corrected", "removed", "unchanged", "late")

# made once: for a small batch, making a statement takes longer than running it
_KNOWN = sa.select(batches.c.digest, batches.c.receipt).where(
    batches.c.source == sa.bindparam("of"), batches.c.batch_id == sa.bindparam("named")
)
_KEEP = sa.insert(batches)
_COUNTED = (
    sa.update(runs)
    .where(runs.c.source == sa.bindparam("of"), runs.c.id == sa.bindparam("named"))
    .values({name: runs.c[name] + sa.bindparam(f"more_{name}") for name in (*_COUNTS, "rejected")})
)


class Committed(msgspec.Struct, frozen=True):
    """What a transaction did: the receipt to answer, and the stretches of the log to tell (none for a resend): of the
    batch's source, and of its candles."""

    receipt: Receipt
    stretch: Stretch | None
    candles: Stretch | None = None


def parts_of(result: Any) -> list[Any]:
    """What a write did, one by one: the stretches of a commit, or the result itself."""
    if isinstance(result, Committed):
        return [stretch for stretch in (result.stretch, result.candles) if stretch is not None]
    return [result]


def commit_batch(connection: sa.Connection, submission: Submission, epoch: str) -> Committed:
    """Stores a batch once, however often it is sent.

    Raises BatchConflict when its batch_id was used for another content.
    """
    batch = submission.batch
    refuse_reserved(batch.source)
    source = write.locked_source(connection, batch.source)
    known = _receipt(connection, submission)
    if known is not None:
        return Committed(known, None)

    at = millis(submission.received_at)
    receipt = Receipt(rejected=[dead.rejected for dead in submission.dead], offset=source.head, epoch=epoch)
    told = observed(batch.entries)
    as_of = _as_of(batch, told, at)
    if source.as_of is not None and ahead(source.as_of, at):
        source.as_of = as_of
    entries = forget.timely(source, told)
    confirmed = source.as_of if source.snapshots else None
    stored = write.stored(connection, batch.source, [entry.key for entry in entries])
    verdict = classify(entries, stored, confirmed, batch.parser, at)
    changes = changes_of(connection, batch.source, verdict.steps, source.head, stored)
    kinds = Counter(change.kind for change in changes)
    receipt.new, receipt.changed, receipt.corrected = kinds["new"], kinds["changed"], kinds["corrected"]
    receipt.unchanged, receipt.late = verdict.unchanged, verdict.late + len(told) - len(entries)
    write.append(connection, batch.source, batch.run_id, changes)
    write.put(connection, batch.source, batch.parser, changes, {e.key: e for e in entries})
    ranking.keep(connection, source, changes)
    write.forget_misses(connection, batch.source, verdict.seen_again)
    source.head += len(changes)
    source.present += receipt.new

    if _tells_all(submission) and as_of >= (source.as_of or 0):
        seen = {e.key for e in told}.union(batch.keys or (), (dead.rejected.key or "" for dead in submission.dead))
        outcome = holding.missing(connection, source, batch.run_id, seen, as_of, at)
        receipt.held = outcome.hold
        receipt.removed = len(outcome.removed)
        changes += outcome.removed
    elif not source.snapshots and not batch.complete:
        source.as_of = max(source.as_of or 0, as_of)  # a source that never shows all of itself is as of its last word
    receipt.offset = source.head
    candles = aggregated(connection, source, batch.run_id, changes, batch.entries, at)
    forget.forget_entries(connection, source, len(changes))

    activity.count(connection, source.name, changes, at)
    write.update_source(connection, source)
    _count(connection, batch, receipt, at)
    _bury(connection, submission, at)
    connection.execute(
        _KEEP,
        {
            "source": batch.source,
            "batch_id": batch.batch_id,
            "digest": submission.digest,
            "receipt": msgspec.json.encode(receipt).decode(),
            "at": at,
        },
    )
    return Committed(
        receipt, Stretch(batch.source, source.head - len(changes), source.head, changes, [batch.run_id]), candles
    )


def _receipt(connection: sa.Connection, submission: Submission) -> Receipt | None:
    batch = submission.batch
    row = connection.execute(_KNOWN, {"of": batch.source, "named": batch.batch_id}).one_or_none()
    if row is None:
        return None
    if row.digest != submission.digest:
        raise BatchConflict
    return msgspec.json.decode(row.receipt, type=Receipt)


def _tells_all(submission: Submission) -> bool:
    """Whether a key that this batch does not name is really absent: a rejected entry without a key could be any."""
    batch = submission.batch
    return batch.complete and (batch.keys is not None or all(dead.rejected.key for dead in submission.dead))


def _as_of(batch: Batch, entries: list[Observed], received: int) -> int:
    if batch.as_of is not None:
        return min(millis(batch.as_of), received)
    return min(map(_at, entries), default=received)


def _count(connection: sa.Connection, batch: Batch, receipt: Receipt, at: int) -> None:
    """Adds a batch's counts to its run, which is made here when nobody announced it."""
    counts = {name: getattr(receipt, name) for name in _COUNTS}
    counts["rejected"] = len(receipt.rejected)
    state = {"state": "held"} if receipt.held else {}
    more = {f"more_{name}": count for name, count in counts.items()}
    updated = connection.execute(_COUNTED, {"of": batch.source, "named": batch.run_id, **more})
    if updated.rowcount and state:
        mine = (runs.c.source == batch.source) & (runs.c.id == batch.run_id)
        connection.execute(sa.update(runs).where(mine).values(**state))
    if not updated.rowcount:
        closed = {"state": "complete" if batch.complete else "partial", "finished": at, "seen": len(batch.entries)}
        connection.execute(
            sa.insert(runs).values(
                id=batch.run_id,
                source=batch.source,
                started=millis(batch.as_of) if batch.as_of else at,
                **{**counts, **closed, **state},
            )
        )
        connection.execute(sa.update(sources).where(sources.c.name == batch.source).values(last_run=batch.run_id))


def _bury(connection: sa.Connection, submission: Submission, at: int) -> None:
    """Keeps what was rejected, with its reason."""
    if not submission.dead:
        return
    batch = submission.batch
    connection.execute(
        sa.insert(dead_letters),
        [
            {
                "source": batch.source,
                "run_id": batch.run_id,
                "batch_id": batch.batch_id,
                "position": dead.rejected.index,
                "key": dead.rejected.key,
                "error": dead.rejected.error,
                "payload": dead.payload,
                "at": at,
            }
            for dead in submission.dead
        ],
    )
