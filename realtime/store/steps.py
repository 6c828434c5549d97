"""Steps of entries as changes of a log: with offsets, versions, and what they altered."""

from collections.abc import Container, Sequence

import sqlalchemy as sa

from realtime.store import write
from realtime.store.change import Change, Kind
from realtime.store.classify import Observed, altered

Step = tuple[Observed, Kind]


def changes_of(
    connection: sa.Connection, source: str, steps: Sequence[Step], head: int, known: Container[str]
) -> list[Change]:
    """The steps of a source as changes, with the offsets that follow `head`. `known` are the keys that are stored."""
    before = write.values(connection, source, [entry.key for entry, _ in steps if entry.key in known])
    return [
        _change(head + number, kind, entry, before.get(entry.key))
        for number, (entry, kind) in enumerate(steps, start=1)
    ]


def _change(offset: int, kind: Kind, entry: Observed, before: write.Value | None) -> Change:
    there = before if kind != "new" else None  # what is listed again begins anew
    data = entry.data
    return Change(
        offset=offset,
        kind=kind,
        key=entry.key,
        version=before.version + 1 if before else 1,
        topic=entry.topic,
        topic_before=there.topic if there else None,
        data=data,
        was=altered(there.data, data) if there else None,
        url=entry.url,
        at=entry.at,
    )
