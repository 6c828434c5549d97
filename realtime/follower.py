"""The rule, for one source: take a stretch of the log if it continues you, else say that something is missing."""

from collections import deque
from collections.abc import Sequence

from realtime.store.change import PIECE, Change, Stretch, size_of

KEPT = 500  # changes of the newest part of the log that are kept in memory, if they make no more than a piece


class Follower:
    """How far this process has followed a source's log, and the newest part of it."""

    def __init__(self, source: str, cursor: int) -> None:
        self.source = source
        self.cursor = cursor
        self._kept: deque[Change] = deque()
        self._size = 0  # characters of data that are kept
        self._kept_after = cursor  # what is kept begins beyond it

    def take(self, stretch: Stretch) -> Stretch | None:
        """What of the stretch is news, or None when it does not continue this cursor. Moves the cursor."""
        if stretch.after > self.cursor:
            return None
        news = stretch.changes
        if stretch.after < self.cursor:
            news = [change for change in news if change.offset > self.cursor]
        taken = Stretch(self.source, self.cursor, max(stretch.upto, self.cursor), news, stretch.run_ids)
        self.cursor = taken.upto
        self._keep(news, taken.after)
        return taken

    def since(self, cursor: int) -> Stretch | None:
        """The log beyond `cursor`, or None when that is no longer in memory."""
        if not self._kept_after <= cursor <= self.cursor:
            return None
        return Stretch(self.source, cursor, self.cursor, [c for c in self._kept if c.offset > cursor])

    def _keep(self, news: Sequence[Change], after: int) -> None:
        if len(news) >= KEPT:  # nothing older stays
            self._kept.clear()
            self._size = 0
            beyond, news = news[:-KEPT], news[-KEPT:]
            self._kept_after = beyond[-1].offset if beyond else after
        self._kept.extend(news)
        self._size += sum(map(size_of, news))
        while len(self._kept) > KEPT or (self._size > PIECE and len(self._kept) > 1):
            oldest = self._kept.popleft()
            self._size -= size_of(oldest)
            self._kept_after = oldest.offset
