"""How much happened, by source, minute and kind: kept beside the log, so that a chart of hours costs a few rows."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from realtime.store.change import Change
from realtime.store.schema import activity
from realtime.store.write import insert_ignoring_on

MINUTE = 60_000  # milliseconds


def count(connection: sa.Connection, source: str, changes: Sequence[Change], at: int) -> None:
    """Adds changes that were stored at `at` (milliseconds) to their minute."""
    kinds = Counter(change.kind for change in changes)
    if not kinds:
        return
    minute = at - at % MINUTE
    rows = [{"source": source, "minute": minute, "kind": kind, "count": kinds[kind]} for kind in sorted(kinds)]
    connection.execute(_adding(connection.dialect.name), rows)


@lru_cache
def _adding(dialect: str) -> Any:
    statement = insert_ignoring_on(dialect, activity)
    return statement.on_conflict_do_update(
        index_elements=[activity.c.source, activity.c.minute, activity.c.kind],
        set_={"count": activity.c["count"] + statement.excluded["count"]},
    )


def since(connection: sa.Connection, at: int) -> list[tuple[str, int, str, int]]:
    """(source, minute in milliseconds, kind, count) of the minutes since `at`, in order of time."""
    columns = [activity.c.source, activity.c.minute, activity.c.kind, activity.c["count"]]
    rows = connection.execute(sa.select(*columns).where(activity.c.minute >= at).order_by(activity.c.minute))
    return [(source, minute, kind, number) for source, minute, kind, number in rows]
