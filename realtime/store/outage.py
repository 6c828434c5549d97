"""That the database is away, and that it is back: told once for the whole process, however many wait for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from realtime.store.threads import NotConnected

log = structlog.get_logger()


class Outage:
    """Logs when nothing can reach the database any more, and when something did again. What a statement met that the
    database refused is no outage: it has a line of its own."""

    def __init__(self) -> None:
        self._since: float | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around whatever asks the database."""
        try:
            yield
        except NotConnected as error:
            self.met(error)
            raise
        self.met(None)

    def met(self, outcome: object) -> None:
        """What became of asking it; whatever is not NotConnected came from there."""
        if isinstance(outcome, NotConnected):
            if self._since is None:
                self._since = time.monotonic()
                log.warning("store away", error=outcome.message)
        elif self._since is not None and not isinstance(outcome, Exception):
            lasted, self._since = time.monotonic() - self._since, None
            log.warning("store back", after=round(lasted, 1))
