"""What a complete run did not see: a miss, a removal, or, when it is too much to believe, a hold for a person."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from ingest_api.contract.errors import NotFound
from realtime.store import activity, pending, ranking, write
from realtime.store.absence import absence
from realtime.store.change import Change, Stretch
from realtime.store.keys import keyed
from realtime.store.moments import SKEW
from realtime.store.schema import entries, holds
from realtime.store.write import SourceRow

Decision = Literal["approved", "discarded"]


class Outcome(msgspec.Struct, frozen=True):
    """What came of a complete run: the changes it made, or the hold that waits for a person."""

    removed: list[Change]
    hold: int | None = None


def missing(connection: sa.Connection, source: SourceRow, run_id: str, seen: set[str], as_of: int, at: int) -> Outcome:
    """Applies a complete run that began at `as_of` and saw the keys `seen`; moves `source`, does not write it.

    Held when more than the share `hold_above` of what is known is missing: then nothing is removed, no miss is
    counted, and the source vouches for no newer moment than before.
    """
    absent = absence(connection, source, seen, as_of, at)
    if absent.exceeds(source.hold_above):
        return Outcome([], pending.hold(connection, source, run_id, absent, as_of, at))

    _settle(connection, source, as_of, at)
    gone = [key for key, misses in absent.misses.items() if misses + 1 >= source.misses]
    write.miss(connection, source.name, [key for key, misses in absent.misses.items() if misses + 1 < source.misses])
    removed = _remove(connection, source, gone, run_id, as_of)
    _believe(source)
    return Outcome(removed)


def decide(connection: sa.Connection, hold_id: int, decision: Decision, at: int) -> Stretch:
    """Carries out a person's decision on a pending hold; the stretch holds the removals.

    Raises NotFound when there is no such hold, or it does not wait any more, and says why.
    """
    hold = connection.execute(sa.select(holds).where(holds.c.id == hold_id)).one_or_none()
    source = write.locked_source(connection, hold.source) if hold else None
    if hold is None or source is None:
        raise NotFound(f"there is no hold {hold_id}")
    if source.hold != hold_id:
        raise pending.over(hold, source)
    removed: list[Change] = []
    if decision == "approved":
        _settle(connection, source, max(hold.as_of, source.as_of or 0), at, decision)
        keys: list[str] = msgspec.json.decode(hold.missing)
        unseen = (entries.c.at <= hold.as_of) | (entries.c.at > at + SKEW)
        still = connection.execute(
            sa.select(entries.c.key).where(keyed(connection, entries, source.name, keys), entries.c.present, unseen)
        ).scalars()
        removed = _remove(connection, source, list(still), hold.run_id, hold.as_of)
        _believe(source)
    else:
        pending.close(connection, source, decision, at)
    activity.count(connection, source.name, removed, at)
    write.update_source(connection, source)
    return Stretch(source.name, source.head - len(removed), source.head, removed, [hold.run_id])


def _settle(connection: sa.Connection, source: SourceRow, as_of: int, at: int, decision: str = "superseded") -> None:
    """A complete view was believed: the source vouches for everything as of `as_of`."""
    pending.close(connection, source, decision, at)
    source.as_of = as_of
    source.snapshots = True
    source.failures = 0
    source.failing_since = source.fault = None


def _believe(source: SourceRow) -> None:
    """What the next run is judged by."""
    source.believed, source.believed_present = source.head, source.present


def _remove(connection: sa.Connection, source: SourceRow, keys: Sequence[str], run_id: str, at: int) -> list[Change]:
    """Removes present entries, in the order of their keys."""
    before = write.values(connection, source.name, keys)
    removed = [
        Change(
            offset=source.head + number,
            kind="removed",
            key=key,
            version=before[key].version + 1,
            topic=before[key].topic,
            topic_before=before[key].topic,
            data=before[key].data,
            was=None,
            url=before[key].url,
            at=at,
        )
        for number, key in enumerate(sorted(keys), start=1)
    ]
    write.append(connection, source.name, run_id, removed)
    write.mark_removed(connection, source.name, removed)
    ranking.drop(connection, source, keys)
    source.head += len(removed)
    source.present -= len(removed)
    return removed
