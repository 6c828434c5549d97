"""The clients connected to this process: by which token, how often they may ask, and their end when it ends.

A token's end is obeyed a moment early and before anything else is sent, so that nothing is on its way when it comes.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import gevent
import msgspec
import structlog
from flask_socketio import SocketIO

from ingest_api.auth import Grant
from ingest_api.contract.errors import ContractError, Expired, SlowDown, Unauthenticated
from realtime.access import Access, Revoked, token_of
from realtime.buckets import Buckets, Rate
from realtime.fanout import CLOSE_WITHIN, Fanout
from realtime.overview import is_overview, overview
from realtime.rooms import Room
from realtime.strangers import Strangers

EARLY = 0.25  # seconds before its token's end that a client is cut off
TICK = 0.1  # seconds between looks at who has to go

RATES = {"join": Rate(20, 100), "leave": Rate(20, 100), "message": Rate(2, 10), "request_top": Rate(5, 20)}
OTHERWISE = Rate(20, 100)
CONNECTS = Rate(20, 200)  # of one token
TOGETHER = 10  # times as much for all connections of one token
ALONE = 1000  # times as much for the one local user

log = structlog.get_logger()


class TooManyConnections(ContractError):
    """There are as many connections by this token as there may be: close some, or use another token."""

    code = "too_many_connections"
    status = 429


class Visitor(msgspec.Struct, eq=False):
    """A connected client."""

    grant: Grant
    ends: float  # seconds since 1970


class Visitors:
    """Who is connected. `ending` is called with the sid of a client that is cut off, before it is told."""

    def __init__(self, access: Access, socketio: SocketIO, fanout: Fanout, strangers: Strangers, most: int) -> None:
        self._access = access
        self._socketio = socketio
        self._fanout = fanout
        self._strangers = strangers
        self._most = most if not access.open else float("inf")
        self._visitors: dict[str, Visitor] = {}  # sid -> visitor
        self._next_end = float("inf")  # of the visitors' ends
        self._by_token: Counter[str] = Counter()  # a token's id -> connections
        factor = ALONE if access.open else 1
        each = {event: rate.times(factor) for event, rate in RATES.items()}
        together = {event: rate.times(TOGETHER) for event, rate in each.items()}
        self._each = Buckets(each, OTHERWISE.times(factor))
        self._together = Buckets({**together, "connect": CONNECTS.times(factor)}, OTHERWISE.times(factor * TOGETHER))
        self.ending: Callable[[str], None] = lambda sid: None
        access.withdrawn = self._withdraw

    def __len__(self) -> int:
        return len(self._visitors)

    def enter(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """A client connects. Raises why it may not."""
        given = auth.get("token") if isinstance(auth, dict) else None
        grant = self._access.grant(given if isinstance(given, str) else token_of(environ))
        self._pay(self._together, grant.id, "connect")
        if self._by_token[grant.id] >= self._most:
            raise TooManyConnections
        ends = float("inf") if grant.expires is None else grant.expires - EARLY
        self._visitors[sid] = Visitor(grant, ends)
        self._by_token[grant.id] += 1
        self._next_end = min(self._next_end, ends)
        self._strangers.left(self._fanout.engine_sid(sid))

    def refuse(self, sid: str) -> None:
        """A client was told why it may not enter."""
        self._strangers.refuse(self._fanout.engine_sid(sid))

    def leave(self, sid: str) -> None:
        visitor = self._visitors.pop(sid, None)
        if visitor is None:
            return
        token = visitor.grant.id
        self._by_token[token] -= 1
        if not self._by_token[token]:
            del self._by_token[token]
        engine_sid = self._fanout.engine_sid(sid)
        if engine_sid is not None:
            self._strangers.came(engine_sid, self._fanout.address(engine_sid))  # until its connection ends too

    def charge(self, sid: str, event: str) -> None:
        """A client sends an event. Raises SlowDown, or Unauthenticated when its time is over."""
        self.sweep()
        grant = self._grant(sid)
        self._pay(self._each, sid, event)
        self._pay(self._together, grant.id, event)

    def permit(self, sid: str, name: str) -> None:
        """Raises Forbidden when the client may not join the room of this name; BadRoom when there is none."""
        room = Room.parse(name)
        if not is_overview(room):
            self._grant(sid).require_join(room.source, room.topic)

    def seen(self, sid: str, room: Room) -> Room:
        """A room as this client enters it."""
        return overview(self._grant(sid)) if is_overview(room) else room

    def called(self, sid: str, name: str | None) -> str | None:
        """The name under which a client enters a room: its token's, where there are tokens."""
        return name if self._access.open or name is None else self._grant(sid).sub

    def sweep(self) -> None:
        """Cuts off whoever's token has ended. Called before anything is sent: a comparison, when nobody has to go."""
        if time.time() < self._next_end:
            return
        moment = time.time()
        for sid in [sid for sid, visitor in self._visitors.items() if visitor.ends <= moment]:
            self._cut(sid, Expired())
        self._next_end = min((visitor.ends for visitor in self._visitors.values()), default=float("inf"))

    def run(self) -> None:
        """Looks who has to go, for ever."""
        while True:
            gevent.sleep(TICK)
            self.sweep()
            self._strangers.sweep()
            for buckets in (self._each, self._together):
                buckets.prune(time.monotonic())

    def _grant(self, sid: str) -> Grant:
        visitor = self._visitors.get(sid)
        if visitor is None:
            raise Unauthenticated
        return visitor.grant

    def _pay(self, buckets: Buckets, owner: str, event: str) -> None:
        wait = buckets.take(owner, event, time.monotonic())
        if wait:
            raise SlowDown.of(wait)

    def _withdraw(self) -> None:
        for sid in [sid for sid, visitor in self._visitors.items() if self._access.is_revoked(visitor.grant)]:
            self._cut(sid, Revoked())

    def _cut(self, sid: str, reason: ContractError) -> None:
        """Nothing that waits for the client is sent any more, only why it has to go."""
        self.leave(sid)
        self.ending(sid)
        engine_sid = self._fanout.engine_sid(sid)
        if engine_sid is None:
            return
        self._fanout.silence(sid)
        self._socketio.emit("error", {"code": reason.code, "message": reason.message}, to=sid, ignore_queue=True)
        self._socketio.server.disconnect(sid, ignore_queue=True)
        log.info("client cut off", sid=sid, code=reason.code)
        gevent.spawn_later(CLOSE_WITHIN, self._fanout.hang_up, engine_sid)
