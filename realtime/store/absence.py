"""What a complete run did not see, and beside how much: what was present when a run was last believed.

Entries that came since then, in runs that were held or could not say that they saw everything, make no share smaller:
else a portal that renames every key would be believed when it says so a second time.
"""

import msgspec
import sqlalchemy as sa

from realtime.store.moments import ahead
from realtime.store.schema import entries
from realtime.store.write import SourceRow


class Absence(msgspec.Struct, frozen=True):
    """The present keys that a run did not see, each with the runs that missed it before; `known` is how many there
    were to see."""

    misses: dict[str, int]
    known: int

    def exceeds(self, share: float) -> bool:
        """Whether more than this share of what is known is missing."""
        return bool(self.misses) and len(self.misses) > share * self.known


class _Row(msgspec.Struct, frozen=True):
    key: str
    misses: int
    at: int
    first_seen: int
    first_offset: int


_COLUMNS = [entries.c[field] for field in _Row.__struct_fields__]


def absence(connection: sa.Connection, source: SourceRow, seen: set[str], as_of: int, now: int) -> Absence:
    """Of a complete run that began at `as_of` (milliseconds), arrived `now` and saw the keys `seen`, which are stored
    already. A key that was seen after the run began is not missing."""
    present = sa.select(*_COLUMNS).where(entries.c.source == source.name, entries.c.present)
    rows = [_Row(*row) for row in connection.execute(present)]
    missed = [row for row in rows if row.key not in seen]
    misses = {row.key: row.misses for row in missed if row.at <= as_of or ahead(row.at, now)}
    if source.believed is None:  # none ever was: what was there before this run is all there is to go by
        return Absence(misses, sum(row.first_seen < as_of or row.key not in seen for row in rows))
    unproven = sum(row.first_offset > source.believed for row in missed)
    return Absence(misses, source.believed_present + unproven)
