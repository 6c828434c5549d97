"""Who follows which room: joining, catching up, being live, lagging behind. One mechanism for all four.

A client is live, or it is catching up from its cursor. Catching up, it is served from memory or the store until its
cursor is this process's; then it enters the room, check and entry in one step without a switch. A live client that does
not take its frames leaves the room and catches up again.
"""

from collections import OrderedDict
from typing import Any

import gevent
import msgspec
import sqlalchemy as sa
from gevent.event import AsyncResult

from ingest_api.contract.errors import ContractError, Unavailable
from realtime.fanout import Fanout
from realtime.feed import Feed
from realtime.metrics import Metrics
from realtime.overview import hears, is_overview
from realtime.rooms import EVERY_SOURCE, Room, folded
from realtime.store import read
from realtime.store.change import PIECE, Stretch, size_of
from realtime.store.read import PAGE
from realtime.store.store import Store

AHEAD = 256 * 1024  # bytes that may wait for a client before it is sent another page
DRAIN_FIRST, DRAIN_EVERY = 0.02, 0.25  # seconds between looks at what waits: longer each time, for who does not read
STORE_EVERY = 0.5  # seconds between tries while the store is away
ROOMS = 500  # rooms one client may follow
PAGES = 64  # pages kept for those who ask the same
LEAST = 50  # rows of a page that are asked for, however large they are


class TooManyRooms(ContractError):
    """This connection follows as many rooms as one may: leave some, or open another connection."""

    code = "too_many_rooms"


class Gone(ContractError):
    """The connection ended before its question was answered."""

    code = "gone"


class Subscription(msgspec.Struct, eq=False):
    """A client in a room: up to where it has everything, and whether it still listens."""

    sid: str
    room: Room
    cursor: int
    history: bool = False
    gone: bool = False


class Audience:
    """The clients of this process."""

    def __init__(self, store: Store, feed: Feed, fanout: Fanout, metrics: Metrics) -> None:
        self._store = store
        self._feed = feed
        self._fanout = fanout
        self._pages = Pages(store, feed, metrics)
        self._followed: dict[str, dict[str, Subscription]] = {}  # sid -> room's name -> subscription
        self._metrics = metrics
        self.catching_up = 0
        fanout.lagging = self._lags

    def join(
        self, sid: str, room: Room, since: int | None = None, epoch: str | None = None, history: bool = False
    ) -> dict[str, Any]:
        """Begins to serve a room to a client from its cursor `since` (None: from now). Returns the answer to it.

        Raises Gone, TooManyRooms or Unavailable."""
        self._feed.refresh()
        reset = bool(since) and not self._continues(room, since or 0, epoch)
        # No switch from here on: the client is there, and its answer goes before what it is served.
        if not self._fanout.connected(sid):
            raise Gone
        self.leave(sid, room)
        mine = self._followed.setdefault(sid, {})
        if len(mine) >= ROOMS:
            raise TooManyRooms
        here = self._feed.cursor(room.source)
        subscription = Subscription(sid, room, 0 if reset else here if since is None else since, history)
        mine[room.name] = subscription
        gevent.spawn(self._serve, subscription, reset)
        answer: dict[str, Any] = {"room": room.name, "offset": here}
        if is_overview(room):
            answer["room"] = EVERY_SOURCE.name
            answer["sources"] = [source for source in self._feed.watermarks.sources if hears(room, source)]
        return {**self._feed.watermarks.of(room.source), **answer}

    def leave(self, sid: str, room: Room) -> None:
        subscription = self._followed.get(sid, {}).pop(room.name, None)
        if subscription is not None:
            self._end(subscription)

    def rooms(self, sid: str) -> list[Room]:
        """The rooms that a client follows, without the overview."""
        return [each.room for each in self._followed.get(sid, {}).values() if not is_overview(each.room)]

    def drop(self, sid: str) -> None:
        """The client is gone."""
        for subscription in self._followed.pop(sid, {}).values():
            self._end(subscription)

    def _end(self, subscription: Subscription) -> None:
        subscription.gone = True
        self._fanout.leave(subscription.room, subscription.sid)

    def _continues(self, room: Room, since: int, epoch: str | None) -> bool:
        """Whether a client's cursor still means something here."""
        if epoch not in (None, self._feed.epoch) or since < self._feed.watermarks.floor(room.source):
            return False
        if since <= self._feed.cursor(room.source):
            return True
        return since <= self._store.read(lambda connection: read.head(connection, room.source))

    def _lags(self, room: str, sid: str, upto: int) -> None:
        """A live client does not keep up: what waits for it reaches it, up to `upto`, then it catches up from there."""
        subscription = self._followed[sid][room]
        self._metrics.lagging.inc()
        self._fanout.leave(subscription.room, sid)
        subscription.cursor = max(subscription.cursor, upto)
        gevent.spawn(self._serve, subscription, False)

    def _serve(self, subscription: Subscription, reset: bool) -> None:
        """Brings a client from its cursor to live."""
        self.catching_up += 1
        try:
            self._catch_up(subscription, reset)
        finally:
            self.catching_up -= 1

    def _catch_up(self, subscription: Subscription, reset: bool) -> None:
        room, sid = subscription.room, subscription.sid
        if reset:
            self._fanout.tell(sid, "reset", {"room": room.name, "epoch": self._feed.epoch})
        while True:
            pause = DRAIN_FIRST
            while not subscription.gone and self._fanout.waiting(sid) > AHEAD:
                gevent.sleep(pause)
                pause = min(2 * pause, DRAIN_EVERY)
            if subscription.gone:
                return
            if subscription.cursor >= self._feed.cursor(room.source):
                self._metrics.catch_ups.inc()
                self._fanout.enter(room, sid)
                for watermark in self._feed.greeting(room):
                    self._fanout.tell(sid, "watermark", watermark)
                return
            self._serve_page(subscription)

    def _serve_page(self, subscription: Subscription) -> None:
        try:
            stretch = self._pages.beyond(subscription.room, subscription.cursor, subscription.history)
        except Unavailable:
            gevent.sleep(STORE_EVERY)
            return
        if not subscription.gone:
            frame = subscription.room.frame(self._feed.epoch, stretch)
            self._fanout.tell(subscription.sid, "entries", frame)
            subscription.cursor = stretch.upto


class Pages:
    """What rooms lack beyond a cursor. A page that many ask for at once is read once."""

    def __init__(self, store: Store, feed: Feed, metrics: Metrics) -> None:
        self._store = store
        self._feed = feed
        self._metrics = metrics
        self._read: OrderedDict[tuple[str, int, bool, int], AsyncResult] = OrderedDict()
        self._rows: dict[str, int] = {}  # source -> how many rows are asked for, where its entries are large

    def beyond(self, room: Room, cursor: int, history: bool) -> Stretch:
        """States, or with `history` every change, beyond `cursor`: from memory when they are there."""
        recent = self._feed.since(room.source, cursor)
        if recent is not None:
            return recent if history else msgspec.structs.replace(recent, changes=folded(recent.changes))
        key = (room.name, cursor, history, self._feed.cursor(room.source))
        result = self._read.get(key)
        if result is None:
            result = self._read[key] = AsyncResult()
            if len(self._read) > PAGES:
                self._read.popitem(last=False)
            try:
                result.set(self._page(room, cursor, history))
            except BaseException as error:
                self._read.pop(key, None)
                result.set_exception(error)
                raise
        stretch: Stretch = result.get()
        return stretch

    def _page(self, room: Room, cursor: int, history: bool) -> Stretch:
        self._metrics.pages.inc()
        limit = self._rows.get(room.source, PAGE)
        stretch = self._store.read(lambda connection: _read(connection, room, cursor, history, limit))
        size = sum(size_of(change) for change in stretch.changes)
        self._rows[room.source] = max(
            LEAST, min(PAGE, 2 * PIECE * len(stretch.changes) // (size + 1)) if size else PAGE
        )
        return stretch


def _read(connection: sa.Connection, room: Room, cursor: int, history: bool, limit: int) -> Stretch:
    if history:
        return read.log(connection, room.source, cursor, limit)
    return read.states(connection, room.source, cursor, room.matches, limit)
