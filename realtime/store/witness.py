"""A file beside a SQLite database that knows how far its offsets had come.

Whoever puts an older copy in a database's place, by whatever means, takes its offsets back; they would be given again,
to other changes. The witness stays where it was, and tells.
"""

import os
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from realtime.store.schema import sources

_HEADS = f"SELECT total({sources.c.head.name}) FROM {sources.name}"
_DIGITS = 20  # so that each number is written over the one before, whole


class Witness:
    """Keeps the sum of all heads, which never falls. Not synced: what a power cut takes from it, it does not know."""

    def __init__(self, database: Path) -> None:
        path = database.with_name(f"{database.name}-witness")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._kept = self._read()

    def contradicts(self, connection: sa.Connection) -> bool:
        """Whether the database had come further than it is now; what it is now is kept from here on."""
        kept, self._kept = self._read(), -1
        here = self.look(connection)
        self.keep(here)
        return here < kept

    def look(self, connection: sa.Connection) -> int:
        """How far the offsets are, for `keep` once they are committed."""
        driver = connection.connection.driver_connection
        assert driver is not None, "it is connected"
        return int(driver.execute(_HEADS).fetchone()[0])

    def keep(self, heads: int) -> None:
        """Never raises: it is called after the commit, which a full disk under this file does not undo."""
        if heads > self._kept:
            with suppress(OSError):
                os.pwrite(self._file, b"%0*d" % (_DIGITS, heads), 0)
                self._kept = heads

    def close(self) -> None:
        os.close(self._file)

    def _read(self) -> int:
        digits = os.pread(self._file, _DIGITS, 0)
        return int(digits) if digits.isdigit() else 0
