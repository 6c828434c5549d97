"""Rooms, and a message to a room as one frame for all who are in it.

The design is measured in docs/performance.md: a packet is encoded once, framed once, and written straight to the socket
of every member that has nothing waiting. What is emitted to a room within one turn of the event loop goes as one piece.
"""

from collections.abc import Callable, ValuesView
from typing import Any

import msgspec
from engineio import packet as engine_packet
from gevent import get_hub
from socketio import Manager
from socketio.packet import EVENT

from realtime.encodings import Encoded, speaks_messagepack
from realtime.fanout.frames import framed
from realtime.fanout.link import Link
from realtime.fanout.sockets import DirectSocket, Pinger

PIECE = 32 * 1024  # characters that are gathered for a room at the most

Place = tuple[str, str | None]
"""A namespace and a room of it; the room None is everyone."""


class Members(msgspec.Struct):
    """Who is in a room, by how they are reached: links by sid, and the Engine.IO sids of those who have none."""

    text: dict[str, Link] = {}
    packed: dict[str, Link] = {}  # who speaks MessagePack
    others: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.text) + len(self.packed) + len(self.others)


class DirectManager(Manager):  # type: ignore[misc]
    """The client manager of a server whose websockets have links. No call here switches to another greenlet.

    `sent` is called with the namespace and the room that something was sent to, whenever all that was emitted to it is.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stalled: set[Link] = set()  # links with something waiting
        self.sent: Callable[[str, str | None], None] = lambda namespace, room: None
        self.pinger: Pinger
        self._members: dict[Place, Members] = {}
        self._rooms_of: dict[tuple[str, str], set[str | None]] = {}  # namespace, sid -> its rooms
        self._gathered: list[Encoded] = []
        self._for: Place = ("", None)  # what is gathered is for this room
        self._size = 0
        self._turning = False

    def set_server(self, server: Any) -> None:
        super().set_server(server)
        server.eio.direct = self
        self.pinger = Pinger(server.eio)

    def members(self, namespace: str, room: str | None) -> Members:
        return self._members.get((namespace, room)) or Members()

    def link(self, sid: str, namespace: str = "/") -> Link | None:
        """A client's link; None for one that polls, or is not there."""
        connection = self.server.eio.sockets.get(self.eio_sid_from_sid(sid, namespace))
        found: Link | None = getattr(connection, "link", None)
        return found

    def attached(self, connection: DirectSocket) -> None:
        """A connection that polled has become a websocket."""
        self.flush()
        for namespace in self.rooms:
            sid = self.sid_from_eio_sid(connection.sid, namespace)
            for room in self._rooms_of.get((namespace, sid), ()):
                if room != sid:
                    self._place(sid, namespace, room, connection.sid)

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        self.flush()
        super().basic_enter_room(sid, namespace, room, eio_sid)
        self._rooms_of.setdefault((namespace, sid), set()).add(room)
        if room != sid:
            self._place(sid, namespace, room, self.rooms[namespace][room][sid])

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        self.flush()
        super().basic_leave_room(sid, namespace, room)
        self._rooms_of.get((namespace, sid), set()).discard(room)
        members = self._members.get((namespace, room))
        if members is not None:
            for reached in (members.text, members.packed, members.others):
                reached.pop(sid, None)
            if not members:
                del self._members[namespace, room]

    def basic_disconnect(self, sid: str, namespace: str, **_options: Any) -> None:
        """Costs the rooms of this client; the library looks through all there are."""
        for room in list(self._rooms_of.pop((namespace, sid), ())):
            self.basic_leave_room(sid, namespace, room)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **options: Any,
    ) -> None:
        where = to or room
        if callback or not (where is None or isinstance(where, str)):
            self.flush()
            super().emit(event, data, namespace, room=where, skip_sid=skip_sid, callback=callback, **options)
            return
        if where not in self.rooms.get(namespace, ()):
            return
        arguments = data if isinstance(data, tuple) else () if data is None else (data,)
        packet = self.server.packet_class(EVENT, namespace=namespace, data=[event, *arguments]).encode()
        if isinstance(packet, list):  # it has bytes in it, which follow it in packets of their own
            self.flush()
            super().emit(event, data, namespace, room=where, skip_sid=skip_sid, **options)
        elif self.is_sid_room(namespace, where):
            self._send_to_one(self.rooms[namespace][None][where], packet)
        elif skip_sid:
            self.flush()
            self._send((namespace, where), [packet], {skip_sid} if isinstance(skip_sid, str) else set(skip_sid))
        else:
            self._gather((namespace, where), packet)

    def flush(self) -> None:
        """Sends what is gathered."""
        if self._gathered:
            packets, self._gathered, self._size = self._gathered, [], 0
            self._send(self._for, packets)
            self.sent(*self._for)

    def _gather(self, where: Place, packet: Encoded) -> None:
        """Takes a message for a room, to be sent with others to the same room at the end of this turn of the loop."""
        if self._for != where:
            self.flush()  # some are in both rooms
            self._for = where
        self._gathered.append(packet)
        self._size += len(packet)
        if self._size >= PIECE:
            self.flush()
        if not self._turning:
            self._turning = True
            get_hub().loop.run_callback(self._turn)

    def _turn(self) -> None:
        self._turning = False
        self.flush()

    def _send(self, where: Place, packets: list[Encoded], skipped: set[str] | None = None) -> None:
        members = self._members.get(where)
        if members is None:
            return
        if members.text:
            piece = b"".join([framed(f"{engine_packet.MESSAGE}{packet}") for packet in packets])
            for link in _links(members.text, skipped):
                link.send(piece)
        if members.packed:
            piece = b"".join([framed(packet.packed) for packet in packets])
            for link in _links(members.packed, skipped):
                link.send(piece)
        for sid, eio_sid in list(members.others.items()):
            if not skipped or sid not in skipped:
                for packet in packets:
                    self._send_to_one(eio_sid, packet)

    def _send_to_one(self, eio_sid: str, packet: Encoded) -> None:
        self.server._send_eio_packet(eio_sid, engine_packet.Packet(engine_packet.MESSAGE, packet))

    def _place(self, sid: str, namespace: str, room: str | None, eio_sid: str) -> None:
        members = self._members.setdefault((namespace, room), Members())
        link = getattr(self.server.eio.sockets.get(eio_sid), "link", None)
        if link is None:
            members.others[sid] = eio_sid
            return
        members.others.pop(sid, None)
        packed = speaks_messagepack(self.server, eio_sid)
        (members.packed if packed else members.text)[sid] = link


def _links(reached: dict[str, Link], skipped: set[str] | None) -> list[Link] | ValuesView[Link]:
    return [link for sid, link in reached.items() if sid not in skipped] if skipped else reached.values()
