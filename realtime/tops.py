"""Top lists: answered from what is kept where nothing changed, and told again to whoever asked when something did."""

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

import gevent
import msgspec
import sqlalchemy as sa
from gevent.event import AsyncResult

from ingest_api.contract.errors import ContractError, Unavailable
from realtime.audience import Gone
from realtime.fanout import Fanout
from realtime.feed import Feed
from realtime.overview import hears
from realtime.rooms import EVERY_SOURCE, Room
from realtime.shelf import Shelf
from realtime.store import ranking, read
from realtime.store.moments import now
from realtime.store.ranking import Asked, TooManyFields, TopList
from realtime.store.standing import info_of
from realtime.store.store import Store

MOST = 200  # entries of a list
USUAL = 10  # unless told
AGAIN = 0.5  # seconds between two looks for what changed
ROOMS = 20  # rooms whose top list one client may follow
REST = 20  # times as long as reading a list took it is not read again for who follows it: a filter may hold for few
ASKED = 60.0  # seconds until it is noted again that a field is still asked for
WAITING = 64 * 1024  # bytes that may wait for a client before it is told again

Order = Literal["desc", "asc"]


class WhichRoom(ContractError):
    """Say which room: `{"room": "vendor_x"}`."""

    code = "which_room"


class NoNumbers(ContractError):
    """No entry there has a number in this field: say another one, `{"by": "price"}`."""

    code = "no_numbers"


class TooManyTops(ContractError):
    """A connection may follow the top lists of 20 rooms: leave some."""

    code = "too_many_tops"


class Top(msgspec.Struct, frozen=True):
    """What somebody asked for."""

    room: Room
    by: str
    order: Order
    limit: int

    @property
    def name(self) -> str:
        """What no other question is called: a topic or a field may hold any sign that one would join these by."""
        return msgspec.json.encode((self.room.name, self.by, self.order, self.limit)).decode()

    def asked(self) -> Asked:
        room = self.room
        return Asked(
            source=room.source,
            topic=room.topic,
            by=self.by,
            down=self.order == "desc",
            limit=self.limit,
            matches=room.matches,
        )


class TopView(msgspec.Struct, kw_only=True):
    """A top list as it is sent: complete up to `offset`, as of `as_of`. `partial`: there are more entries than could be
    looked at, and some of them may belong here."""

    room: str
    by: str
    order: Order
    limit: int
    epoch: str
    offset: int
    as_of: str | None
    partial: bool
    items: Sequence[ranking.TopEntry]


class Tops:
    """The top lists of this process's clients. `run` is its loop."""

    def __init__(self, store: Store, feed: Feed, fanout: Fanout, shelves: Sequence[Shelf]) -> None:
        self._store = store
        self._feed = feed
        self._fanout = fanout
        self._shelves = shelves  # the nearest first
        self._followed: dict[str, dict[str, Top]] = {}  # sid -> room's name -> what it asked for
        self._told: dict[tuple[str, str], TopView] = {}  # sid, name -> what it was told last
        self._asking: dict[tuple[str, int], AsyncResult] = {}  # name, cursor -> an answer on its way
        self._rested: dict[str, float] = {}  # name -> when it may be read again for those who follow it
        self._ready: dict[tuple[str, str], float] = {}  # source, field -> when it is told again that it is asked for

    def only(self, joined: Sequence[Room], overview: Room) -> Room:
        """The room that is meant when none is said: the one a client joined, or the one source that it may hear."""
        self._feed.refresh()
        sources = [source for source in self._feed.watermarks.sources if hears(overview, source)]
        rooms = list(joined) or [Room.parse(source) for source in sources]
        if len(rooms) == 1:
            return rooms[0]
        raise WhichRoom(f"say which room: {', '.join(room.name for room in rooms) or 'there is none yet'}")

    def choose(self, room: Room, by: str | None, order: Order, limit: int | None) -> Top:
        """What is asked for by a request that may leave things out. Raises WhichRoom or NoNumbers."""
        if room.source == EVERY_SOURCE.source:
            raise WhichRoom("the room * has no entries: name a source")
        if by is None:
            by = self._store.read(partial(_lead, source=room.source))
        if by is None:
            raise NoNumbers(f"no entry of {room.source} has a number in it")
        self._see(room.source, by)
        return Top(room, by, order, limit or USUAL)

    def follow(self, sid: str, top: Top) -> TopView:
        """The list now, and again when it changes, in place of any other of the same room.

        Raises Gone, TooManyTops, NoNumbers or Unavailable."""
        view = self.look(top)
        if not self._fanout.connected(sid):  # and was dropped while the list was read
            raise Gone
        mine = self._followed.setdefault(sid, {})
        if top.room.name not in mine and len(mine) >= ROOMS:
            raise TooManyTops
        self.leave(sid, top.room)
        mine[top.room.name] = top
        self._tell(sid, top, view)
        return view

    def show(self, sid: str, top: Top) -> None:
        """The list now, and not again."""
        self._fanout.tell(sid, "top_items", msgspec.to_builtins(self.look(top)))

    def leave(self, sid: str, room: Room) -> None:
        top = self._followed.get(sid, {}).pop(room.name, None)
        if top is not None:
            self._told.pop((sid, top.name), None)

    def drop(self, sid: str) -> None:
        """The client is gone."""
        for top in self._followed.pop(sid, {}).values():
            self._told.pop((sid, top.name), None)

    def look(self, top: Top) -> TopView:
        """The list now."""
        as_of = self._feed.watermarks.of(top.room.source)["as_of"]
        found = self._found(top)
        return TopView(
            room=top.room.name,
            by=top.by,
            order=top.order,
            limit=top.limit,
            epoch=self._feed.epoch,
            offset=found.offset,
            as_of=as_of,
            partial=found.partial,
            items=found.items,
        )

    def run(self) -> None:
        """Tells who follows a list what changed, for ever."""
        while True:
            gevent.sleep(AGAIN)
            with suppress(Unavailable):
                self._refresh()

    def _refresh(self) -> None:
        moment = time.monotonic()
        self._rested = {name: until for name, until in self._rested.items() if until > moment}
        for sid, mine in list(self._followed.items()):
            for top in list(mine.values()):
                told = self._told.get((sid, top.name))
                if told is None or not self._moved(top, told) or self._fanout.waiting(sid) > WAITING:
                    continue
                if time.monotonic() < self._rested.get(top.name, 0):
                    continue
                try:
                    view = self.look(top)
                except TooManyFields:
                    continue
                if self._followed.get(sid, {}).get(top.room.name) is top:
                    self._tell(sid, top, view)

    def _moved(self, top: Top, told: TopView) -> bool:
        source = top.room.source
        return self._feed.cursor(source) > told.offset or self._feed.watermarks.of(source)["as_of"] != told.as_of

    def _tell(self, sid: str, top: Top, view: TopView) -> None:
        """Tells the list if it is another one than was told before."""
        before = self._told.get((sid, top.name))
        self._told[sid, top.name] = view
        if before is None or (before.items, before.as_of) != (view.items, view.as_of):
            self._fanout.tell(sid, "top_items", msgspec.to_builtins(view))

    def _found(self, top: Top) -> TopList:
        """The list at the place where this process is, or further: kept, or read once for all who ask at once."""
        kept = self._kept(top)
        if kept is not None:
            return kept
        name = (top.name, self._feed.cursor(top.room.source))
        asking = self._asking.get(name)
        if asking is None:
            asking = self._asking[name] = AsyncResult()
            try:
                asking.set(self._read(top))
            except Exception as error:
                asking.set_exception(error)
                raise
            finally:
                del self._asking[name]
        found: TopList = asking.get()
        return found

    def _kept(self, top: Top) -> TopList | None:
        for number, shelf in enumerate(self._shelves):
            kept = shelf.get(self._name(top))
            found = _decoded(kept)
            if found is not None and found.offset >= self._feed.cursor(top.room.source):
                for nearer in self._shelves[:number]:
                    nearer.put(self._name(top), kept or b"")
                return found
        return None

    def _read(self, top: Top) -> TopList:
        began = time.monotonic()
        try:
            found = self._prepared(top)
        except TooManyFields:  # another process let it go since this one prepared it
            self._ready.pop((top.room.source, top.by), None)
            found = self._prepared(top)
        ended = time.monotonic()
        self._rested[top.name] = ended + REST * (ended - began)
        kept = msgspec.msgpack.encode(found)
        for shelf in self._shelves:
            shelf.put(self._name(top), kept)
        return found

    def _prepared(self, top: Top) -> TopList:
        self._prepare(top.room.source, top.by)
        return self._store.read(partial(ranking.top, asked=top.asked()))

    def _see(self, source: str, field: str) -> None:
        """Raises NoNumbers where no entry, be it the oldest, has a number in this field: it takes no other's place."""
        if (source, field) in self._ready:
            return
        found = self._store.read(partial(_likely, source=source, field=field))
        after: str | None = ""
        while not found and after is not None:
            found, after = self._store.read(partial(ranking.find, source=source, field=field, after=after))
        if not found:
            raise NoNumbers(f"no entry of {source} has a number in {field!r}")
        self._ready[source, field] = 0

    def _prepare(self, source: str, field: str) -> None:
        """Sees that the numbers of a field are kept in order; reads them in when nobody asked for them before."""
        moment = time.monotonic()
        if self._ready.get((source, field), 0) > moment:
            return
        since, whole = self._store.write(partial(ranking.ask, source=source, field=field, at=now()), source)
        after: str | None = None if whole else ""
        while after is not None:
            piece = partial(ranking.read_in, source=source, field=field, after=after, since=since)
            after = self._store.write(piece, source)
        self._ready = {name: until for name, until in self._ready.items() if until > moment}
        self._ready[source, field] = moment + ASKED

    def _name(self, top: Top) -> str:
        return f"portalwire:top:{self._feed.epoch}:{top.name}"


def _decoded(kept: bytes | None) -> TopList | None:
    """What a shelf has; nothing, where another version of us or somebody else put it there."""
    try:
        return msgspec.msgpack.decode(kept, type=TopList) if kept else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _lead(connection: sa.Connection, source: str) -> str | None:
    """The field that a source shows first if it has numbers, else the first one that has."""
    vitals = next((vitals for vitals in read.vitals(connection) if vitals.name == source), None)
    lead = info_of(vitals).lead if vitals else None
    if lead is not None and ranking.has_numbers(connection, source, lead):
        return lead
    return ranking.first_numeric(connection, source) or lead


def _likely(connection: sa.Connection, source: str, field: str) -> bool:
    """Whether a field has numbers, as far as that is told at once."""
    return ranking.is_whole(connection, source, field) or ranking.has_numbers(connection, source, field)
