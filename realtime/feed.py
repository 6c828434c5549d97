"""The feed: this process follows the store's log by the one rule, and sends what it takes to its own rooms.

A hint makes it fast. It may be lost, doubled or out of order: the store fills the hole, and once a second, at the
clock's tick or without one, the heads are compared, so that a lost last hint is found too.
"""

from typing import Any

import gevent
import sqlalchemy as sa
import structlog
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from ingest_api.contract.errors import Unavailable
from realtime.fanout import Fanout
from realtime.follower import Follower
from realtime.metrics import Metrics
from realtime.overview import hears, is_overview
from realtime.pulse import Pulse
from realtime.rooms import EVERY_SOURCE, Room
from realtime.store import read
from realtime.store.change import Stretch
from realtime.store.commit import Committed
from realtime.store.store import Store
from realtime.store.threads import OtherLife
from realtime.watermarks import Watermarks

HEADS_EVERY = 1.0  # seconds
STIRRED = 0.05  # seconds after a write until vitals are read, so that many writes cost one reading

log = structlog.get_logger()


class Feed:
    """Follows every source. `run` is its loop; `tell` takes hints."""

    def __init__(self, store: Store, fanout: Fanout, pulse: Pulse, metrics: Metrics) -> None:
        self.epoch = store.epoch
        self._store = store
        self._fanout = fanout
        self._pulse = pulse
        self._metrics = metrics
        self._followers: dict[str, Follower] = {}
        self._stirred = Event()
        self._hints = 0
        self._read = 0  # of the hints, those that came before the vitals were read last
        self._reading = BoundedSemaphore()
        self.over = Event()  # the database is another one: all that this process knows is worthless
        self.watermarks = Watermarks(store.epoch)
        for vitals in store.read(read.vitals):
            self._followers[vitals.name] = Follower(vitals.name, vitals.head)
            self.watermarks.update(vitals)

    def cursor(self, source: str) -> int:
        """How far this process has followed a source; 0 for one that nobody delivered to."""
        follower = self._followers.get(source)
        return follower.cursor if follower else 0

    def since(self, source: str, cursor: int) -> Stretch | None:
        """See Follower.since."""
        follower = self._followers.get(source)
        return follower.since(cursor) if follower else None

    def greeting(self, room: Room) -> list[dict[str, Any]]:
        """The watermarks that someone who enters a room hears at once."""
        if not is_overview(room):
            return [{"room": room.name, "upto": self.cursor(room.source), **self.watermarks.of(room.source)}]
        return [
            {"room": source, "upto": self.cursor(source), **self.watermarks.of(source)}
            for source in self.watermarks.sources
            if hears(room, source)
        ]

    def tell(self, result: Any) -> None:
        """A hint: what a write did. Called in the order of the commits; never switches."""
        stretch = result.stretch if isinstance(result, Committed) else result
        if isinstance(stretch, Stretch) and stretch.upto > self.cursor(stretch.source):
            self._take(stretch)
        self._hints += 1
        self._stirred.set()

    def stir(self) -> None:
        """Compares heads soon and tells the watermarks that moved: at the clock's tick all processes look at once."""
        self._stirred.set()

    def refresh(self) -> None:
        """Sees that what the vitals say is no older than the last hint: whoever asks next is told what is true now.
        Raises Unavailable."""
        with self._reading:
            if self._read < self._hints:
                self._look()

    def run(self) -> None:
        """Compares heads and tells watermarks, until it is over."""
        while True:
            self._stirred.wait(HEADS_EVERY)
            if self._stirred.is_set():
                gevent.sleep(STIRRED)
                self._stirred.clear()
            try:
                self._compare()
            except OtherLife as error:
                log.critical("database replaced", error=error.message)
                self.over.set()
                return
            except Unavailable:
                continue  # the heads are compared again in a second

    def _compare(self) -> None:
        with self._reading:
            self._look()
        for source, watermark in self.watermarks.due():
            self._announce(source, watermark)

    def _look(self) -> None:
        """Reads the vitals. One greenlet at a time, so that none puts older ones in the place of newer ones."""
        hints = self._hints
        for vitals in self._store.read(read.vitals):
            self._fill(vitals.name, vitals.head)
            self.watermarks.update(vitals)
        self._read = hints

    def _announce(self, source: str, watermark: dict[str, Any]) -> None:
        upto = self.cursor(source)
        for room in self._fanout.rooms(source):
            self._fanout.send(room.name, "watermark", {"room": room.name, "upto": upto, **watermark})
        for room in self._fanout.rooms(EVERY_SOURCE.source):
            if hears(room, source):
                self._fanout.send(room.name, "watermark", {"room": source, "upto": upto, **watermark})

    def _fill(self, source: str, head: int) -> None:
        """Reads from the store what lies between the cursor and `head`."""
        while self.cursor(source) < head:
            after = self.cursor(source)

            def missing(connection: sa.Connection, source: str = source, after: int = after) -> Stretch:
                return read.log(connection, source, after)

            stretch = self._store.read(missing)
            if stretch.upto == after:
                return  # the log below its floor is gone; joins read states
            self._take(stretch)

    def _take(self, stretch: Stretch) -> None:
        follower = self._followers.setdefault(stretch.source, Follower(stretch.source, 0))
        taken = follower.take(stretch)
        if taken is None:
            self._stirred.set()  # a hole: the next comparison of heads fills it
            return
        if taken.upto == taken.after:
            return
        rooms = self._fanout.rooms(stretch.source)
        for piece in taken.pieces():
            for room in rooms:
                self._fanout.send_entries(room.name, piece.upto, room.live_frame(self.epoch, piece))
        self._pulse.beat(taken)
        self._metrics.told(stretch.source)
        write = log.debug if self.watermarks.quiet(stretch.source) else log.info
        for run in taken.run_ids or (None,):  # what was missed may be of several: whoever looks for one finds it
            write("told", source=stretch.source, run_id=run, after=taken.after, upto=taken.upto, rooms=len(rooms))
