"""Who of this process's clients follows which room of the feed, and how they are reached: one small interface.

What a slow client does not take waits for it, up to a bound. Past it the client lags: see `Audience`.
"""

from collections.abc import Callable
from typing import Any

import gevent
from flask_socketio import SocketIO

from realtime.fanout.manager import DirectManager
from realtime.rooms import Room

CLOSE_WITHIN = 1.0  # seconds that a client may take to hear why it is cut off
BOUND = 1024 * 1024  # bytes that may wait for one client
PACKETS = 8  # of a client that polls; fewer are not counted

_SPACE = "/"  # all of ours is in this namespace


class Fanout:
    """No call here switches to another greenlet, where it does not say so."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio
        self._server = socketio.server
        self._manager: DirectManager = socketio.server.manager
        self._members: dict[str, set[str]] = {}  # room's name -> sids
        self._rooms: dict[str, dict[str, Room]] = {}  # source -> name -> room, of those with members
        self._upto: dict[str, int] = {}  # room's name -> up to which offset it was sent entries
        self.lagging: Callable[[str, str, int], None] = lambda room, sid, upto: None
        self.before: Callable[[], None] = lambda: None  # called before anything is sent
        self._manager.sent = self._look

    def enter(self, room: Room, sid: str) -> None:
        self._server.enter_room(sid, room.name)
        self._members.setdefault(room.name, set()).add(sid)
        self._rooms.setdefault(room.source, {})[room.name] = room

    def leave(self, room: Room, sid: str) -> None:
        members = self._members.get(room.name, set())
        if sid not in members:
            return
        members.discard(sid)
        self._server.leave_room(sid, room.name)
        if not members:
            del self._members[room.name]
            del self._rooms[room.source][room.name]
            self._upto.pop(room.name, None)

    def rooms(self, source: str) -> list[Room]:
        """The rooms of a source that someone is in."""
        return list(self._rooms.get(source, {}).values())

    def connected(self, sid: str) -> bool:
        return bool(self._manager.is_connected(sid, _SPACE))

    def send(self, room: str, event: str, payload: Any) -> None:
        """To everyone in the room; `lagging` follows for each who does not keep up."""
        self.before()
        if room in self._members:
            self._socketio.emit(event, payload, to=room, ignore_queue=True)

    def send_entries(self, room: str, upto: int, frame: Any) -> None:
        """A frame that brings the room up to an offset: who lags is said to have got so far."""
        self.before()
        if room in self._members:
            self._upto[room] = upto  # nothing may come between this and the sending
            self._socketio.emit("entries", frame, to=room, ignore_queue=True)

    def tell(self, sid: str, event: str, payload: Any) -> None:
        """To one client."""
        self.before()
        self._socketio.emit(event, payload, to=sid, ignore_queue=True)

    def broadcast(self, event: str, payload: Any) -> None:
        """To every client of this process."""
        self._socketio.emit(event, payload, ignore_queue=True)

    def waiting(self, sid: str) -> int:
        """Bytes for a client that its connection has not taken."""
        link = self._manager.link(sid)
        if link is not None:
            return link.waiting
        connection = self._server.eio.sockets.get(self._manager.eio_sid_from_sid(sid, _SPACE))
        if connection is None or connection.queue.qsize() < PACKETS:
            return 0
        return sum(len(packet.data or "") for packet in list(connection.queue.queue) if packet is not None)

    @property
    def backlog(self) -> tuple[int, int]:
        """Bytes that wait for the websocket that has taken the least, and for all of them."""
        waiting = [link.waiting for link in self._manager.stalled]
        return max(waiting, default=0), sum(waiting)

    def silence(self, sid: str) -> None:
        """Forgets what waits for a client and has not begun."""
        self._manager.flush()
        link = self._manager.link(sid)
        connection = self._server.eio.sockets.get(self._manager.eio_sid_from_sid(sid, _SPACE))
        if link is not None:
            link.drop()
        elif connection is not None:
            while not connection.queue.empty():
                connection.queue.get_nowait()
                connection.queue.task_done()

    def hang_up(self, engine_sid: str) -> None:
        """Ends a connection, whether its client listens or not. May switch."""
        connection = self._server.eio.sockets.get(engine_sid)
        websocket = self._server.environ.get(engine_sid, {}).get("wsgi.websocket")
        link = getattr(connection, "link", None)
        if connection is not None:
            connection.close(wait=False, abort=True)
        if link is not None:
            link.fail()
        if websocket is not None and not websocket.closed:
            websocket.handler.socket.close()

    def see_off(self, engine_sid: str) -> None:
        """Ends a connection after what it was sent: a websocket at once, a client that polls a moment later."""
        connection = self._server.eio.sockets.get(engine_sid)
        if connection is not None and connection.upgraded:
            connection.close(wait=False)
        gevent.spawn_later(CLOSE_WITHIN, self.hang_up, engine_sid)

    def address(self, engine_sid: str) -> str:
        """Where a connection comes from."""
        found: str = self._server.environ.get(engine_sid, {}).get("REMOTE_ADDR", "")
        return found

    def engine_sid(self, sid: str) -> str | None:
        found: str | None = self._manager.eio_sid_from_sid(sid, _SPACE)
        return found

    def _look(self, namespace: str, room: str | None) -> None:
        """Whoever does not take what was just sent to a room leaves it, having got all that the room was sent."""
        if namespace != _SPACE or room not in self._members:
            return
        members = self._manager.members(_SPACE, room)
        slow = [sid for sid in members.others if self.waiting(sid) > BOUND]
        if any(link.waiting > BOUND for link in self._manager.stalled):
            links = {**members.text, **members.packed}
            slow += [sid for sid, link in links.items() if link.waiting > BOUND]
        for sid in slow:
            self.lagging(room, sid, self._upto.get(room, 0))
