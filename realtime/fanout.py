"""Sending to this process's clients: one small interface, so that a faster transport can take this one's place.

This is Flask-SocketIO's own: a packet is queued for each member. What waits for a slow member is looked at whenever
its room is sent to, and past the bound the feed is told that it lags.
"""

from collections.abc import Callable
from typing import Any

from flask_socketio import SocketIO

from realtime.rooms import Room

BOUND = 1024 * 1024  # bytes that may wait for one client
PACKETS = 8  # fewer are not counted


class Fanout:
    """Who is in which room, and how they are reached. No call here switches to another greenlet."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio
        self._server = socketio.server
        self._members: dict[str, set[str]] = {}  # room's name -> sids
        self._rooms: dict[str, dict[str, Room]] = {}  # source -> name -> room, of those with members
        self.lagging: Callable[[str, str], None] = lambda room, sid: None
        self.before: Callable[[], None] = lambda: None  # called before anything is sent

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

    def rooms(self, source: str) -> list[Room]:
        """The rooms of a source that someone is in."""
        return list(self._rooms.get(source, {}).values())

    def connected(self, sid: str) -> bool:
        return bool(self._server.manager.is_connected(sid, "/"))

    def send(self, room: str, event: str, payload: Any) -> None:
        """To everyone in the room; then `lagging(room, sid)` for each who does not keep up."""
        self.before()
        if room not in self._members:
            return
        self._socketio.emit(event, payload, to=room, ignore_queue=True)
        for sid in [sid for sid in self._members[room] if self.waiting(sid) > BOUND]:
            self.lagging(room, sid)

    def tell(self, sid: str, event: str, payload: Any) -> None:
        """To one client."""
        self.before()
        self._socketio.emit(event, payload, to=sid, ignore_queue=True)

    def broadcast(self, event: str, payload: Any) -> None:
        """To every client of this process."""
        self._socketio.emit(event, payload, ignore_queue=True)

    def waiting(self, sid: str) -> int:
        """Bytes queued for a client that its socket has not taken."""
        socket = self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))
        if socket is None or socket.queue.qsize() < PACKETS:
            return 0
        return sum(len(packet.data or "") for packet in list(socket.queue.queue) if packet is not None)
