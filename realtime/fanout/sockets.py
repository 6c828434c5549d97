"""Engine.IO's connections where they have a link, and the pings of all of them."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from engineio import exceptions
from engineio import packet as engine_packet
from engineio import socket as engine_socket
from engineio.payload import Payload
from gevent.queue import Empty

from realtime.fanout.frames import GOODBYE, framed
from realtime.fanout.link import Link

PACKETS = Payload.max_decode_packets  # of one poll's answer
LOOK = 0.5  # seconds between looks for pings that are due


class _NoQueue:
    """In place of the queue of a connection that has a link: the library goes on to end it with None."""

    def put(self, _nothing: None) -> None:
        """Nobody reads it."""


_NO_QUEUE = _NoQueue()


class DirectSocket(engine_socket.Socket):  # type: ignore[misc]
    """A connection. As soon as it is a websocket's it has a link and no queue, no greenlet reads or writes for it, and
    the server's one pinger looks after it."""

    queue: Any
    last_ping: float | None  # when a ping was sent that is not answered
    link: Link | None = None

    def attach(self, link: Link) -> None:
        """What waits, and everything from now on, goes to the link."""
        while not self.queue.empty():
            packet = self.queue.get(block=False)
            self.queue.task_done()
            if packet is not None:
                link.send(framed(_message(packet)))
        self.link, self.queue = link, _NO_QUEUE

    def send(self, pkt: engine_packet.Packet) -> None:
        self.server.direct.flush()  # what was emitted before this goes before it
        if self.link is None:
            # a packet remembers how it was encoded first, and bytes are encoded in another way for polls
            super().send(engine_packet.Packet(pkt.packet_type, pkt.data) if pkt.binary else pkt)
            return
        self.check_ping_timeout()
        self.link.send(framed(_message(pkt)))

    def poll(self) -> list[engine_packet.Packet]:
        """What is there for a client that polls, or comes while it waits: not more at a time than a client by this
        library reads. An empty list is the end. Raises QueueEmpty when nothing comes within a ping and its answer."""
        queue = self.queue
        packets: list[engine_packet.Packet] = []
        try:
            queue.peek(timeout=self.server.ping_interval + self.server.ping_timeout)
        except Empty as error:
            raise exceptions.QueueEmpty from error
        while len(packets) < PACKETS and not queue.empty():
            packet = queue.get()
            queue.task_done()
            if packet is None:
                if packets:
                    queue.put(None)  # for the next poll
                return packets
            packets.append(packet)
        return packets or [engine_packet.Packet(engine_packet.NOOP)]

    def check_ping_timeout(self) -> bool:
        """Raises SocketIsClosedError. Silent connections are found by the pinger: the library would end one here, in
        the middle of a broadcast to others."""
        if self.closed:
            raise exceptions.SocketIsClosedError
        return True

    def schedule_ping(self) -> None:
        if self.last_ping:  # one ping at a time
            self.last_ping = None
            self.server.direct.pinger.schedule(self)

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        super().close(wait=wait and self.link is None, abort=abort, reason=reason)
        if self.link is not None:
            self.link.send(GOODBYE)
            self.link.finish()


class Pinger:
    """One loop for the pings of all connections. All wait equally long: what was put in first is due first."""

    def __init__(self, engine: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._due: deque[tuple[float, DirectSocket]] = deque()
        self._asked: deque[tuple[float, DirectSocket, float]] = deque()  # until when an answer must be there

    def schedule(self, connection: DirectSocket) -> None:
        """Pings the connection after the ping interval. Never switches."""
        self._due.append((self._clock() + self._engine.ping_interval, connection))

    def run(self) -> None:
        """Pings, and ends the connections that do not answer, for ever."""
        while True:
            self._ping()
            self._look()
            gevent.sleep(LOOK)

    def _ping(self) -> None:
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            connection = self._due.popleft()[1]
            if connection.closed:
                self._engine.sockets.pop(connection.sid, None)
            if connection.closed or connection.closing:
                continue
            asked = connection.last_ping = time.time()
            self._asked.append((now + self._engine.ping_timeout, connection, asked))
            connection.send(engine_packet.Packet(engine_packet.PING))

    def _look(self) -> None:
        now = self._clock()
        while self._asked and self._asked[0][0] <= now:
            _, connection, asked = self._asked.popleft()
            if connection.closed or connection.last_ping == asked:
                gevent.spawn(self._end, connection)

    def _end(self, connection: DirectSocket) -> None:
        connection.close(wait=False, reason=self._engine.reason.PING_TIMEOUT)
        self._engine.sockets.pop(connection.sid, None)


def _message(packet: engine_packet.Packet) -> str | bytes:
    message: str | bytes = packet.data if packet.binary else packet.encode()
    return message


_Plain = engine_socket.Socket


def _made(server: Any, sid: str) -> Any:
    """A connection of a server: ours where our manager is."""
    return (DirectSocket if hasattr(server, "direct") else _Plain)(server, sid)


# The library makes its connections by this name and offers no other way to say which.
engine_socket.Socket = _made
